import { describe, expect, it, onTestFinished, vi } from "vitest";
import { textOf } from "./page-chat.ts";
import { askHalf } from "./page-turns.ts";
import { createRunServer, openRunPage, type RunServer } from "./run-page.ts";
import { asked, openRuns, OWNER, PLACE, runOf, saying } from "./small-chats.ts";

/** A server whose model has said "Half " to a page. */
async function openHalfAnswer(): Promise<{
  readonly server: RunServer;
  readonly page: ReturnType<typeof openRunPage>;
  readonly sent: Promise<void>;
}> {
  const server = createRunServer(openRuns());
  const page = openRunPage(server, "tea");
  page.watch();
  const { sent } = await askHalf(page, server);
  return { server, page, sent };
}

const runsOf = async (server: RunServer): Promise<readonly string[]> =>
  (await server.runs.list(OWNER)).runs.map(({ runStatus }) => runStatus);

describe("a page whose server is away", () => {
  it("after a lost connection in mid-answer the answer goes on, and the page only shows that it waits", async () => {
    const { server, page, sent } = await openHalfAnswer();
    const { chat } = page;
    expect(page.standing()).toEqual({ isWaiting: false, error: null });
    const online = server.onRequest;
    server.onRequest = () => Promise.reject(new TypeError("Failed to fetch"));
    server.cut();
    server.model.say("an ans");
    await expect.poll(() => page.standing()?.isWaiting).toBe(true);
    expect([chat.status, chat.error, chat.text]).toEqual(["streaming", undefined, "Half "]);
    server.onRequest = online;
    await expect.poll(() => chat.text).toBe("Half an ans");
    await expect.poll(() => page.standing()).toEqual({ isWaiting: false, error: null });
    server.model.say("wer");
    server.model.finish();
    await sent;
    expect([chat.status, chat.error]).toEqual(["ready", undefined]);
    expect(chat.messages.map(textOf)).toEqual(["Why?", "Half an answer"]);
  });

  it("a question whose reply was lost is sent again, and answered once", async () => {
    const server = createRunServer(openRuns());
    const { chat } = openRunPage(server, "tea");
    let count = 0;
    server.onRequest = async (request, answer) => {
      const answered = await answer();
      count += request.method === "POST" ? 1 : 0;
      if (count === 1) throw new TypeError("Failed to fetch");
      return answered;
    };
    const sent = chat.sendMessage({ text: "Why?" });
    await expect.poll(() => count).toBe(2);
    server.model.say("Once.");
    server.model.finish();
    await sent;
    expect(chat.messages.map(textOf)).toEqual(["Why?", "Once."]);
    expect(await runsOf(server)).toEqual(["completed"]);
  });

  it("an answer whose process has died ends, once no event has come to the page for a while", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    onTestFinished(() => void vi.useRealTimers());
    const server = createRunServer(openRuns());
    const { runId } = await server.runs.create({ ...OWNER, topic: "tea" });
    const { fence } = await server.runs.claim(runId, { ...OWNER, leaseMs: 1_000 });
    const events = [
      { eventType: "UI_MESSAGE", payload: asked("a") },
      { eventType: "UI_CHUNKS", payload: [{ type: "start", messageId: "b" }] },
    ];
    await server.runs.append(runId, events, { ...OWNER, fence });
    const { chat } = openRunPage(server, "tea", await server.read("tea"));
    const resumed = chat.resumeStream();
    await expect
      .poll(() => {
        vi.advanceTimersByTime(5_000);
        return chat.status;
      })
      .toBe("error");
    await resumed;
    expect(chat.error?.message).toBe("The answer was cut short.");
    expect(await runsOf(server)).toEqual(["failed"]);
  });
});

describe("a stop", () => {
  it("of another page at another server reaches the model, and both pages show what was said", async () => {
    const { server, page, sent } = await openHalfAnswer();
    const other = openRunPage(createRunServer(server.runs), "tea");
    other.watch();
    await expect.poll(() => other.chat.text).toBe("Half ");
    expect(await other.transport.stop("tea")).toBe(true);
    await Promise.all([server.model.stopped, sent]);
    for (const { chat } of [page, other]) {
      await expect.poll(() => chat.status).toBe("ready");
      expect(chat.messages.map(textOf)).toEqual(["Why?", "Half "]);
    }
    expect(runOf((await server.read("tea"))[1])).toMatchObject({ runStatus: "cancelled" });
    expect(await other.transport.stop("tea")).toBe(false);
  });

  it("of a question that is on its way waits for it, and then stops its answer", async () => {
    const server = createRunServer(openRuns());
    const { chat, transport } = openRunPage(server, "tea");
    const go = Promise.withResolvers<void>();
    server.onRequest = async (request, answer) => {
      if (new URL(request.url).pathname === "/api/chat") await go.promise;
      return answer();
    };
    const sent = chat.sendMessage({ text: "Why?" });
    await expect.poll(() => server.requests).toEqual(["POST /api/chat"]);
    const stopped = transport.stop("tea");
    go.resolve();
    expect(await stopped).toBe(true);
    await sent;
    expect(chat.status).toBe("ready");
    expect(await runsOf(server)).toEqual(["cancelled"]);
  });
});

describe("a page that is left", () => {
  it("in mid-answer closes its connection, and the answer goes on", async () => {
    const { server, page, sent } = await openHalfAnswer();
    const { chat } = page;
    await chat.stop();
    await sent;
    expect([chat.status, chat.text]).toEqual(["ready", "Half "]);
    server.model.say("an answer");
    server.model.finish();
    await expect.poll(() => runsOf(server)).toEqual(["completed"]);
    // This page has stopped reading the run, so its end is no reason to read the messages again.
    expect(chat.text).toBe("Half ");
    const back = openRunPage(server, "tea", await server.read("tea"));
    back.watch();
    expect(back.chat.messages.map(textOf)).toEqual(["Why?", "Half an answer"]);
  });

  it.each(["a stream that is cancelled", "a signal that aborts"])(
    "by %s leaves no connection",
    async (how) => {
      const server = createRunServer(openRuns());
      const { transport } = openRunPage(server, "tea");
      const leave = new AbortController();
      const stream = await transport.sendMessages({
        chatId: "tea",
        messages: [asked("a")],
        trigger: "submit-message",
        messageId: undefined,
        abortSignal: leave.signal,
      });
      const reader = stream.getReader();
      await reader.read();
      expect(server.openAnswers()).toBe(1);
      if (how === "a signal that aborts") {
        leave.abort(new Error("The page is left."));
        await expect(reader.read()).rejects.toThrow("The page is left.");
      } else await reader.cancel();
      await expect.poll(() => server.openAnswers()).toBe(0);
      server.model.finish();
      await expect.poll(() => runsOf(server)).toEqual(["completed"]);
    },
  );

  it("while its question is on its way does not keep the page waiting, and the question lands", async () => {
    const server = createRunServer(openRuns());
    const { chat } = openRunPage(server, "tea");
    const go = Promise.withResolvers<void>();
    server.onRequest = async (_request, answer) => {
      await go.promise;
      return answer();
    };
    const sent = chat.sendMessage({ text: "Why?" });
    await expect.poll(() => server.requests).toEqual(["POST /api/chat"]);
    await chat.stop();
    await sent;
    expect(chat.status).toBe("ready");
    go.resolve();
    await server.model.asked(1);
    server.model.finish();
    await expect.poll(() => runsOf(server)).toEqual(["completed"]);
  });

  it("while it asks for the answer to resume reads nothing", async () => {
    const { server, sent } = await openHalfAnswer();
    const late = openRunPage(server, "tea");
    const go = Promise.withResolvers<void>();
    let isHeld = false;
    server.onRequest = async (_request, answer) => {
      isHeld = true;
      await go.promise;
      return answer();
    };
    const resumed = late.chat.resumeStream();
    await expect.poll(() => isHeld).toBe(true);
    await late.chat.stop();
    go.resolve();
    await resumed;
    expect([late.chat.status, late.chat.messages]).toEqual(["ready", []]);
    server.model.finish();
    await sent;
  });

  it("while it reads the messages changes nothing in them", async () => {
    const server = createRunServer(openRuns());
    const { done } = await server.chats.answer({ ...PLACE, message: asked("a") }, () =>
      saying("b"),
    );
    await done;
    const page = openRunPage(server, "tea");
    const go = Promise.withResolvers<void>();
    let isReading = false;
    server.onRequest = async (request, answer) => {
      const answered = await answer();
      if (request.url.endsWith("/api/chat/tea")) {
        isReading = true;
        await go.promise;
      }
      return answered;
    };
    const leave = page.watch();
    await expect.poll(() => isReading).toBe(true);
    leave();
    go.resolve();
    // As StrictMode does: it watches again.
    page.watch();
    await expect.poll(() => page.chat.messages.map(textOf)).toEqual(["a", "b"]);
  });
});

describe("a question that is refused", () => {
  it("because another page was faster has the error, and the page then shows the turn of the other one", async () => {
    const { server, page, sent } = await openHalfAnswer();
    const slow = openRunPage(server, "tea");
    await slow.chat.sendMessage({ text: "And?" });
    expect([slow.chat.status, slow.chat.messages.map(textOf)]).toEqual(["error", ["And?"]]);
    expect(slow.chat.error).toMatchObject({ code: "topic_busy" });
    slow.watch();
    await expect.poll(() => slow.chat.messages.map(textOf)).toEqual(["Why?", "Half "]);
    server.model.finish();
    await sent;
    await expect.poll(() => slow.chat.status).toBe("ready");
    expect(page.chat.messages.map(textOf)).toEqual(["Why?", "Half "]);
  });

  it("without a session has the refusal as its error", async () => {
    const server = createRunServer(openRuns());
    const { chat } = openRunPage(server, "tea");
    server.onRequest = async (request) =>
      server.handle(new Request(request, { headers: { user: "" } }));
    await chat.sendMessage({ text: "Why?" });
    expect(chat.status).toBe("error");
    expect(chat.error).toMatchObject({ code: "unauthenticated" });
    expect(server.requests).toHaveLength(1);
  });
});
