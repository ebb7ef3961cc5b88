import { createMemoryStore, createRunEvents, type RunEvents } from "@tm/run-events-core";
import type { UIMessage, UIMessageChunk } from "ai";
import { describe, expect, it, onTestFinished } from "vitest";
import { createChats } from "../../src/ai-sdk.ts";
import { textOf } from "./page-chat.ts";
import { createServer } from "./server.ts";

const OWNER = { ownerId: "ada" };
const PLACE = { ...OWNER, chatId: "tea" };

function openRuns(): RunEvents {
  const runs = createRunEvents({ store: createMemoryStore() });
  onTestFinished(() => runs.close());
  return runs;
}

function asked(id: string, text = id): UIMessage {
  return { id, role: "user", parts: [{ type: "text", text }] };
}

function streamOf(...chunks: readonly UIMessageChunk[]): ReadableStream<UIMessageChunk> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
}

const saying = (text: string): ReadableStream<UIMessageChunk> =>
  streamOf(
    { type: "start" },
    { type: "text-start", id: "t" },
    { type: "text-delta", id: "t", delta: text },
    { type: "text-end", id: "t" },
    { type: "finish" },
  );

/** What a message says of its run. */
const runOf = (message: UIMessage | undefined): unknown =>
  (message?.metadata as { readonly run?: unknown } | undefined)?.run;

async function readAll(stream: ReadableStream<UIMessageChunk>): Promise<UIMessageChunk[]> {
  const chunks: UIMessageChunk[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

describe("the messages of a chat", () => {
  it("an edited question replaces its own message and all after it", async () => {
    const chats = createChats({ runs: openRuns() });
    for (const id of ["a", "b", "c"]) {
      await (
        await chats.answer({ ...PLACE, message: asked(id) }, () => saying(`to ${id}`))
      ).done;
    }
    const edited = asked("b", "better");
    const { done } = await chats.answer({ ...PLACE, message: edited }, ({ messages }) =>
      saying(messages.map(textOf).join()),
    );
    await done;
    const { messages } = await chats.read("tea", OWNER);
    expect(messages.map(textOf)).toEqual(["a", "to a", "better", "a,to a,better"]);
  });

  it("a page that asks for another answer to the same question gets it in place of the first", async () => {
    const server = createServer(openRuns());
    const page = await server.openPage("tea");
    for (const [count, answer] of [
      [1, "first"],
      [2, "second"],
    ] as const) {
      const sent = count === 1 ? page.sendMessage({ text: "Why?" }) : page.regenerate();
      await server.model.asked(count);
      server.model.say(answer);
      server.model.finish();
      await sent;
    }
    expect(page.messages.map(textOf)).toEqual(["Why?", "second"]);
    expect((await server.read("tea")).map(textOf)).toEqual(["Why?", "second"]);
  });

  it("a message of the assistant with the result of a tool is continued", async () => {
    const chats = createChats({ runs: openRuns() });
    const call = { toolCallId: "1", toolName: "ask", input: {} };
    const first = await chats.answer({ ...PLACE, message: asked("a") }, () =>
      streamOf({ type: "start" }, { type: "tool-input-available", ...call }, { type: "finish" }),
    );
    await first.done;
    const [, stored] = (await chats.read("tea", OWNER)).messages;
    const part = {
      type: "tool-ask" as const,
      toolCallId: "1",
      state: "output-available" as const,
      input: {},
      output: "yes",
    };
    const message: UIMessage = { id: stored?.id ?? "", role: "assistant", parts: [part] };
    const second = await chats.answer({ ...PLACE, message }, () => saying("Thanks."));
    expect(await readAll(second.stream)).toContainEqual({ type: "start", messageId: stored?.id });
    await second.done;
    const { messages } = await chats.read("tea", OWNER);
    expect(messages.map(({ id }) => id)).toEqual(["a", stored?.id]);
    expect(messages[1]?.parts).toMatchObject([part, { type: "text", text: "Thanks." }]);
    expect(runOf(messages[1])).toEqual({ runId: second.runId, runStatus: "completed" });
  });

  it("a message of the assistant that the chat does not have is refused", async () => {
    const chats = createChats({ runs: openRuns() });
    const message: UIMessage = { ...asked("x"), role: "assistant" };
    await expect(chats.answer({ ...PLACE, message }, () => saying("never"))).rejects.toMatchObject({
      code: "invalid_request",
    });
    expect(await chats.read("tea", OWNER)).toEqual({ messages: [], active: null });
  });

  it("metadata of the model is kept, and the id that a stream has chosen", async () => {
    const chats = createChats({ runs: openRuns() });
    const message = { ...asked("a"), metadata: { at: 7 } };
    const { done, runId } = await chats.answer({ ...PLACE, message }, () =>
      streamOf({ type: "start", messageId: "mine", messageMetadata: { model: "m" } }),
    );
    await done;
    const { messages } = await chats.read("tea", OWNER);
    const run = { runId, runStatus: "completed" };
    expect(messages[0]).toEqual(message);
    expect(messages[1]).toEqual({
      ...{ id: "mine", role: "assistant", parts: [], metadata: { model: "m", run } },
    });
  });

  it("two owners of one chat id have different chats", async () => {
    const chats = createChats({ runs: openRuns() });
    await (
      await chats.answer({ ...PLACE, message: asked("a") }, () => saying("b"))
    ).done;
    expect(await chats.read("tea", { ownerId: "bob" })).toEqual({ messages: [], active: null });
    expect(await chats.stop("tea", { ownerId: "bob" })).toBe(false);
    expect(await chats.follow("tea", { ownerId: "bob" })).toBeNull();
  });

  it("a chat of more answers than one page of the list has all its messages", async () => {
    const chats = createChats({ runs: openRuns() });
    const ids = Array.from({ length: 60 }, (_, index) => `q${index}`);
    for (const id of ids) {
      await (
        await chats.answer({ ...PLACE, message: asked(id) }, () => saying(`to ${id}`))
      ).done;
    }
    const { messages } = await chats.read("tea", OWNER);
    expect(messages.map(textOf)).toEqual(ids.flatMap((id) => [id, `to ${id}`]));
  });
});

describe("the end of an answer", () => {
  it("an error that is thrown is hidden, unless `describeError` describes it", async () => {
    const describeError = (error: unknown): string | undefined =>
      error instanceof RangeError ? "Too long." : undefined;
    const chats = createChats({ runs: openRuns(), describeError });
    for (const [error, errorText] of [
      [new Error("a key"), "An error occurred."],
      [new RangeError("a key"), "Too long."],
    ] as const) {
      const answer = await chats.answer({ ...PLACE, message: asked("a") }, () => {
        throw error;
      });
      expect(await readAll(answer.stream)).toEqual([{ type: "error", errorText }]);
      await expect(answer.done).rejects.toBe(error);
      const { messages } = await chats.read("tea", OWNER);
      expect(messages[1]).toMatchObject({ id: answer.runId, role: "assistant", parts: [] });
      expect(runOf(messages[1])).toMatchObject({ runStatus: "failed", errorText });
    }
  });

  it("a chunk of an error ends the answer with its text, and cancels the rest", async () => {
    const chats = createChats({ runs: openRuns() });
    const cancelled = Promise.withResolvers<void>();
    const { stream, done } = await chats.answer(
      { ...PLACE, message: asked("a") },
      () =>
        new ReadableStream<UIMessageChunk>({
          start: (controller) => controller.enqueue({ type: "error", errorText: "No credit." }),
          cancel: () => cancelled.resolve(),
        }),
    );
    await cancelled.promise;
    expect(await readAll(stream)).toEqual([{ type: "error", errorText: "No credit." }]);
    await expect(done).rejects.toThrow("No credit.");
  });

  it("an answer whose model the program has stopped is not whole", async () => {
    const chats = createChats({ runs: openRuns() });
    const { stream } = await chats.answer({ ...PLACE, message: asked("a") }, () =>
      streamOf({ type: "start" }, { type: "abort" }),
    );
    expect((await readAll(stream)).at(-1)).toEqual({
      type: "error",
      errorText: "The answer was cut short.",
    });
  });

  it("a stop does not wait for a model that has not begun, and cancels what comes later", async () => {
    const chats = createChats({ runs: openRuns() });
    const late = Promise.withResolvers<ReadableStream<UIMessageChunk>>();
    const cancelled = Promise.withResolvers<void>();
    const { done, stream } = await chats.answer(
      { ...PLACE, message: asked("a") },
      () => late.promise,
    );
    expect(await chats.stop("tea", OWNER)).toBe(true);
    await expect(done).rejects.toMatchObject({ code: "run_finished" });
    expect(await readAll(stream)).toEqual([{ type: "abort" }]);
    late.resolve(new ReadableStream({ cancel: () => cancelled.resolve() }));
    await cancelled.promise;
  });

  it("an answer whose process has died holds no place in the chat", async () => {
    const runs = openRuns();
    const chats = createChats({ runs });
    // A run without a lease is what one with an expired lease is.
    const dead = await runs.create({ ...OWNER, topic: "tea" });
    const { done } = await chats.answer({ ...PLACE, message: asked("a") }, () => saying("b"));
    await done;
    expect((await runs.get(dead.runId)).runStatus).toBe("failed");
    const other = await runs.create({ ...OWNER, topic: "tea" });
    expect((await chats.read("tea", OWNER)).active).toBeNull();
    expect((await runs.get(other.runId)).runStatus).toBe("failed");
  });

  it("`waitUntil` gets the work, and never a rejection", async () => {
    const works: Promise<unknown>[] = [];
    const waitUntil = (work: Promise<unknown>): unknown => works.push(work);
    const chats = createChats({ runs: openRuns(), waitUntil });
    await chats.answer({ ...PLACE, message: asked("a") }, () => Promise.reject(new Error("x")));
    await expect(Promise.all(works)).resolves.toHaveLength(1);
  });
});

describe("the routes", () => {
  it("the messages of a chat are at its path", async () => {
    const server = createServer(openRuns());
    await (
      await server.chats.answer({ ...PLACE, message: asked("a") }, () => saying("b"))
    ).done;
    const response = await server.ask("GET", "/tea");
    expect(response.headers.get("cache-control")).toBe("private, no-store");
    expect(await response.json()).toEqual(
      JSON.parse(JSON.stringify(await server.chats.read("tea", OWNER))),
    );
  });

  it("a chat may have any id that a topic may be", async () => {
    const server = createServer(openRuns());
    const id = "a/b ?#%é";
    await (
      await server.chats.answer({ ...OWNER, chatId: id, message: asked("a") }, () => saying("b"))
    ).done;
    const page = await server.openPage(id);
    expect(page.messages.map(textOf)).toEqual(["a", "b"]);
    await page.resumeStream();
    expect(page.status).toBe("ready");
  });

  it.each([
    ["without messages", { id: "tea" }],
    ["without an id", { message: asked("a") }],
    ["with what is no message", { id: "tea", message: "Why?" }],
    ["with a message without parts", { id: "tea", message: { id: "a", role: "user", parts: [] } }],
    ["with a message of the system", { id: "tea", message: { ...asked("a"), role: "system" } }],
    ["with an id that is too long", { id: "x".repeat(201), message: asked("a") }],
    ["that is not an object", [1]],
  ])("a question %s is refused", async (_name, body) => {
    const response = await createServer(openRuns()).ask("POST", "", body);
    expect(response.status).toBe(400);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(await response.json()).toMatchObject({ status: 400, code: "invalid_request" });
  });

  it("a question that a form of a foreign site can send is refused", async () => {
    const { handle } = createServer(openRuns());
    const body = JSON.stringify({ id: "tea", message: asked("a") });
    const request = new Request("http://localhost/api/chat", { method: "POST", body });
    expect((await handle(request)).status).toBe(400);
  });

  it("a caller without a credential is refused", async () => {
    const { handle } = createServer(openRuns());
    const headers = { user: "" };
    expect((await handle(new Request("http://localhost/api/chat/tea", { headers }))).status).toBe(
      401,
    );
  });

  it.each([
    ["GET", ""],
    ["PUT", "/tea"],
    ["GET", "/tea/stop"],
    ["GET", "/tea/stream/more"],
    ["GET", "s/tea"],
    ["GET", "/"],
  ])("%s /api/chat%s is not found", async (method, path) => {
    expect((await createServer(openRuns()).ask(method, path)).status).toBe(404);
  });

  it("a bad escape in the path is refused", async () => {
    expect((await createServer(openRuns()).ask("GET", "/%E0%A4%A/stream")).status).toBe(400);
  });

  it("a store that is away is answered 503, and an error of the program is thrown", async () => {
    const runs = openRuns();
    const server = createServer(runs);
    await runs.close();
    const response = await server.ask("GET", "/tea");
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "1"]);
    const handle = server.chats.routes({
      authenticate: () => {
        throw new Error("no session store");
      },
      answer: () => saying("never"),
    });
    await expect(handle(new Request("http://localhost/api/chat/tea"))).rejects.toThrow(
      "no session store",
    );
  });

  it("the routes may be at another path, and the answer sees what the page has sent", async () => {
    const chats = createChats({ runs: openRuns() });
    const handle = chats.routes({
      api: "/v2/ask",
      authenticate: () => "ada",
      answer: ({ body, chatId, ownerId }) =>
        saying(JSON.stringify([body["model"], chatId, ownerId])),
    });
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ id: "tea", message: asked("a"), model: "small" });
    const init = { method: "POST", headers, body };
    await (await handle(new Request("http://localhost/v2/ask", init))).text();
    const { messages } = await chats.read("tea", OWNER);
    expect(textOf(messages[1])).toBe('["small","tea","ada"]');
  });
});
