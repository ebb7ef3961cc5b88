import type { UIMessage, UIMessageChunk } from "ai";
import { describe, expect, it } from "vitest";
import { textOf } from "./page-chat.ts";
import { askHalf, turn } from "./page-turns.ts";
import { createRunServer, openRunPage } from "./run-page.ts";
import { asked, openRuns, OWNER, PLACE, saying, streamOf } from "./small-chats.ts";

describe("a page with the transport of runs", () => {
  it("shows an answer as it comes, and is sent it once", async () => {
    const server = createRunServer(openRuns());
    const page = openRunPage(server, "tea");
    const { chat } = page;
    const { sent } = await askHalf(page, server);
    expect(chat.status).toBe("streaming");
    server.model.say("an answer");
    server.model.finish();
    await sent;
    expect([chat.status, chat.text]).toEqual(["ready", "Half an answer"]);
    const parts = (await server.read("tea")).map((message) => message.parts);
    expect(parts).toEqual(chat.messages.map((message) => message.parts));
    const [{ runId } = { runId: "" }] = (await server.runs.list(OWNER)).runs;
    expect(server.requests).toEqual(["POST /api/chat", `GET /v1/agent-runs/${runId}/stream`]);
  });

  it("sends the members of the transport and those of the question along with it", async () => {
    const server = createRunServer(openRuns());
    const questions: unknown[] = [];
    server.onRequest = async (request, answer) => {
      if (request.method === "POST") {
        const { message, ...body } = (await request.clone().json()) as Record<string, unknown>;
        expect(message).toMatchObject({ role: "user", parts: [{ type: "text", text: "Why?" }] });
        questions.push([body, request.headers.get("x-trace")]);
      }
      return answer();
    };
    const body = (): object => ({ model: "small", id: "no", tone: "dry" });
    const { chat } = openRunPage(server, "tea", [], { body });
    const more = { body: { tone: "warm" }, headers: { "X-Trace": "7" } };
    const sent = chat.sendMessage({ text: "Why?" }, more);
    await server.model.asked(1);
    server.model.finish();
    await sent;
    const trigger = "submit-message";
    expect(questions).toEqual([[{ model: "small", tone: "warm", id: "tea", trigger }, "7"]]);
  });

  it("that was idle shows a turn of another page, and one that was reloaded goes on", async () => {
    const server = createRunServer(openRuns());
    const idle = openRunPage(server, "tea");
    idle.watch();
    const asking = openRunPage(server, "tea");
    asking.watch();
    const sent = asking.chat.sendMessage({ text: "Why?" });
    await server.model.asked(1);
    server.model.say("Half ");
    await expect.poll(() => idle.chat.messages.map(textOf)).toEqual(["Why?", "Half "]);
    await expect.poll(() => idle.chat.status).toBe("streaming");
    const reloaded = openRunPage(server, "tea", await server.read("tea"));
    reloaded.watch();
    await expect.poll(() => reloaded.chat.status).toBe("streaming");
    server.model.say("an answer");
    server.model.finish();
    await sent;
    for (const { chat } of [idle, reloaded, asking]) {
      await expect.poll(() => chat.status).toBe("ready");
      expect(chat.messages.map(textOf)).toEqual(["Why?", "Half an answer"]);
      expect(chat.lastMessage?.id).toBe(asking.chat.lastMessage?.id);
    }
    const asked = server.requests.filter((one) => one.includes("/api/chat"));
    // Each of the two others has read the messages once.
    const read = "GET /api/chat/tea";
    expect(asked).toEqual(["POST /api/chat", read, read]);
  });

  it("shows turns that it missed, and edits, and asks for nothing if it has all", async () => {
    const server = createRunServer(openRuns());
    await turn(server, "a");
    const late = openRunPage(server, "tea");
    late.watch();
    await expect.poll(() => late.chat.messages.map(textOf)).toEqual(["a", "to a"]);
    const whole = openRunPage(server, "tea", await server.read("tea"));
    whole.watch();
    const first = whole.chat.messages;
    await turn(server, "b");
    const edited = { ...PLACE, message: asked("b", "better") };
    await (
      await server.chats.answer(edited, () => saying("to better"))
    ).done;
    for (const { chat } of [late, whole]) {
      await expect
        .poll(() => chat.messages.map(textOf))
        .toEqual(["a", "to a", "better", "to better"]);
      await expect.poll(() => chat.status).toBe("ready");
    }
    expect(first.map(textOf)).toEqual(["a", "to a"]);
    const reads = server.requests.filter((one) => one === "GET /api/chat/tea").length;
    const again = openRunPage(server, "tea", await server.read("tea"));
    again.watch();
    await expect
      .poll(() => server.requests.filter((one) => one === "GET /v1/agent-runs").length)
      .toBeGreaterThanOrEqual(3);
    await turn(server, "c");
    await expect.poll(() => again.chat.messages.length).toBe(6);
    // Each of the three pages has read the turn `c`, and nothing else.
    await expect
      .poll(() => server.requests.filter((one) => one === "GET /api/chat/tea").length)
      .toBe(reads + 3);
  });

  it("two turns in a row, one of each page, are in both in order", async () => {
    const server = createRunServer(openRuns());
    const pages = [openRunPage(server, "tea"), openRunPage(server, "tea")];
    for (const page of pages) page.watch();
    for (const [index, { chat }] of [...pages, ...pages].entries()) {
      const sent = chat.sendMessage({ text: `q${index}` });
      await server.model.asked(index + 1);
      server.model.say(`a${index}`);
      server.model.finish();
      await sent;
      // The next question follows at once, whether or not the other page has the answer.
      await expect.poll(() => pages.every((page) => page.chat.status === "ready")).toBe(true);
    }
    const texts = ["q0", "a0", "q1", "a1", "q2", "a2", "q3", "a3"];
    for (const { chat } of pages) await expect.poll(() => chat.messages.map(textOf)).toEqual(texts);
    expect((await server.read("tea")).map(textOf)).toEqual(texts);
  });

  it("shows a turn only once it has a question", async () => {
    const server = createRunServer(openRuns());
    const { runId } = await server.runs.create({ ...OWNER, topic: "tea" });
    const { fence } = await server.runs.claim(runId, { ...OWNER, leaseMs: 60_000 });
    const { chat, watch } = openRunPage(server, "tea");
    watch();
    await expect.poll(() => server.requests).toContain("GET /v1/agent-runs");
    const other = openRunPage(server, "wine");
    other.watch();
    await expect
      .poll(() => server.requests.filter((one) => one === "GET /v1/agent-runs").length)
      .toBe(2);
    expect(server.requests).not.toContain("GET /api/chat/tea");
    const append = (eventType: string, payload: unknown): Promise<unknown> =>
      server.runs.append(runId, [{ eventType, payload }], { ...OWNER, fence });
    await append("UI_MESSAGE", asked("a"));
    await append("UI_CHUNKS", [
      { type: "start", messageId: "b" },
      { type: "text-start", id: "t" },
      { type: "text-delta", id: "t", delta: "to a" },
    ]);
    await append("RUN_COMPLETED", null);
    await expect.poll(() => chat.messages.map(textOf)).toEqual(["a", "to a"]);
  });

  it("shows all of a message that another page continues, at its end", async () => {
    const server = createRunServer(openRuns());
    const call = { toolCallId: "1", toolName: "ask", input: {} };
    const first = await server.chats.answer({ ...PLACE, message: asked("a") }, () =>
      streamOf({ type: "start" }, { type: "tool-input-available", ...call }, { type: "finish" }),
    );
    await first.done;
    const { chat, watch } = openRunPage(server, "tea");
    watch();
    await expect.poll(() => chat.messages.length).toBe(2);
    const part = { type: "tool-ask" as const, toolCallId: "1", input: {}, output: "yes" };
    const parts = [{ ...part, state: "output-available" as const }];
    const message: UIMessage = { id: first.runId, role: "assistant", parts };
    const ready = Promise.withResolvers<void>();
    const second = await server.chats.answer({ ...PLACE, message }, async () => {
      await ready.promise;
      return saying("Thanks.");
    });
    await expect.poll(() => chat.status).toBe("submitted");
    ready.resolve();
    await second.done;
    const whole = [...parts, { type: "text", text: "Thanks.", state: "done" }];
    await expect.poll(() => chat.lastMessage?.parts).toEqual(whole);
    expect(chat.messages).toHaveLength(2);
  });

  it("that resumes an answer in mid-call of a tool shows nothing twice", async () => {
    const server = createRunServer(openRuns());
    const stop = Promise.withResolvers<void>();
    const { done } = await server.chats.answer(
      { ...PLACE, message: asked("a") },
      () =>
        new ReadableStream<UIMessageChunk>({
          async start(controller) {
            controller.enqueue({ type: "text-start", id: "t" });
            controller.enqueue({ type: "text-delta", id: "t", delta: "Wait." });
            controller.enqueue({ type: "tool-input-start", toolCallId: "1", toolName: "ask" });
            await stop.promise;
            controller.close();
          },
        }),
    );
    await expect.poll(async () => (await server.read("tea"))[1]?.parts.length).toBe(2);
    const { chat, watch } = openRunPage(server, "tea", await server.read("tea"));
    watch();
    await expect.poll(() => chat.status).toBe("streaming");
    stop.resolve();
    await done;
    await expect.poll(() => chat.status).toBe("ready");
    expect(chat.lastMessage?.parts.map(({ type }) => type)).toEqual(["text", "tool-ask"]);
  });
});
