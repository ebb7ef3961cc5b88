import { WorkflowChatTransport } from "@ai-sdk/workflow/client";
import type { ChatTransport, UIMessage, UIMessageChunk } from "ai";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { PageChat, textOf } from "./page-chat.ts";
import { createRunServer, type RunServer } from "./run-page.ts";
import { asked, openRuns, OWNER, PLACE, readAll, saying, streamOf } from "./small-chats.ts";

/** The transport of `@ai-sdk/workflow`, which sends neither the chat's id nor a type of the body by itself. */
function transportOf(
  server: RunServer,
  options: ConstructorParameters<typeof WorkflowChatTransport>[0] = {},
): ChatTransport<UIMessage> {
  const transport = new WorkflowChatTransport({
    api: "http://localhost/api/chat",
    fetch: server.fetch,
    prepareSendMessagesRequest: ({ id, messages }) => ({
      body: { id, message: messages.at(-1) },
      headers: { "content-type": "application/json" },
    }),
    ...options,
  });
  // It is of another version of `ai`, with the same stream.
  return transport as unknown as ChatTransport<UIMessage>;
}

/** Hides what it writes when its stream is cut. */
function silence(): void {
  vi.spyOn(console, "error").mockImplementation(() => {});
  onTestFinished(() => void vi.restoreAllMocks());
}

const streamsOf = (server: RunServer): readonly string[] =>
  server.requests.filter((one) => one.endsWith("/stream"));

describe("WorkflowChatTransport", () => {
  it("gets an answer whole, over a stream that is cut three times", async () => {
    silence();
    const server = createRunServer(openRuns());
    const chat = new PageChat("tea", transportOf(server));
    const sent = chat.sendMessage({ text: "Why?" });
    await server.model.asked(1);
    let said = "";
    for (const word of ["Half ", "an ", "answer"]) {
      said += word;
      server.model.say(word);
      await expect.poll(() => chat.text).toBe(said);
      server.cut();
    }
    server.model.finish();
    await sent;
    expect([chat.status, chat.error]).toEqual(["ready", undefined]);
    expect(chat.messages.map(textOf)).toEqual(["Why?", "Half an answer"]);
    const [{ runId } = { runId: "" }] = (await server.runs.list(OWNER)).runs;
    const stream = `GET /api/chat/${runId}/stream`;
    expect(server.requests).toEqual(["POST /api/chat", stream, stream, stream]);
  });

  it("resumes from the end of what there is, and goes on from there if it is cut", async () => {
    silence();
    const server = createRunServer(openRuns());
    const chat = new PageChat("tea", transportOf(server));
    const sent = chat.sendMessage({ text: "Why?" });
    await server.model.asked(1);
    let said = "";
    for (const word of ["Half ", "an ", "answer"]) {
      said += word;
      server.model.say(word);
      await expect.poll(() => chat.text).toBe(said);
    }
    // The log has `start`, `start-step`, `text-start`, and three pieces of the text.
    const stream = await transportOf(server, { initialStartIndex: -2 }).reconnectToStream({
      chatId: "tea",
    });
    const reader = stream?.getReader();
    const response = await server.fetch("http://localhost/api/chat/tea/stream?startIndex=-2");
    expect(response.headers.get("x-workflow-stream-tail-index")).toBe("5");
    await response.body?.cancel();
    // It has left out the pieces whose begin it does not have.
    const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
    const first = reader?.read();
    await expect.poll(() => warned.mock.calls.length).toBe(1);
    const count = streamsOf(server).length;
    server.cut();
    await expect.poll(() => streamsOf(server).length).toBeGreaterThan(count);
    server.model.finish();
    await sent;
    const rest: UIMessageChunk["type"][] = [];
    for (let next = await first; next?.done === false; next = await reader?.read()) {
      rest.push((next.value as UIMessageChunk).type);
    }
    expect(rest).toEqual(["finish-step", "finish"]);
  });

  it.each([
    ["is stopped", "abort"],
    ["never says that it is finished", "text-end"],
  ])("comes to an end if an answer %s", async (_name, last) => {
    const server = createRunServer(openRuns());
    const chunks = [
      { type: "start" },
      { type: "text-start", id: "t" },
      { type: "text-delta", id: "t", delta: "Half" },
      { type: "text-end", id: "t" },
    ] satisfies UIMessageChunk[];
    const { done, runId } = await server.chats.answer({ ...PLACE, message: asked("a") }, () =>
      last === "abort"
        ? new ReadableStream<UIMessageChunk>({
            start: (controller) => chunks.forEach((chunk) => controller.enqueue(chunk)),
          })
        : streamOf(...chunks),
    );
    const stream = await transportOf(server).reconnectToStream({ chatId: runId });
    const read = readAll(stream ?? streamOf());
    if (last === "abort") await server.chats.stop("tea", OWNER);
    await done.catch(() => {});
    expect((await read).slice(-2).map(({ type }) => type)).toEqual([last, "finish"]);
    expect(streamsOf(server)).toHaveLength(1);
  });
});

describe("the stream of a run", () => {
  it("begins with any chunk, also after the end, and is that of its owner alone", async () => {
    const server = createRunServer(openRuns());
    const { done, runId } = await server.chats.answer({ ...PLACE, message: asked("a") }, () =>
      saying("b"),
    );
    await done;
    const textAt = async (id: string, startIndex: string): Promise<readonly string[] | number> => {
      const response = await server.ask("GET", `/${id}/stream?startIndex=${startIndex}`);
      if (response.status !== 200) return response.status;
      return (await response.text()).split("\n\n").filter((line) => line.startsWith("data: {"));
    };
    const whole = await textAt(runId, "0");
    if (typeof whole === "number") throw new Error(`Expected a stream, got HTTP ${whole}.`);
    expect(whole).toHaveLength(5);
    expect(await textAt(runId, "3")).toEqual(whole.slice(3));
    expect(await textAt(runId, "-2")).toEqual(whole.slice(3));
    expect(await textAt(runId, "-99")).toEqual(whole);
    expect(await textAt(runId, "5")).toEqual([]);
    // No answer of the chat is live.
    expect(await textAt("tea", "0")).toBe(204);
    expect(await textAt("no such run", "0")).toBe(204);
    for (const bad of ["", "x", "1.5"]) expect(await textAt(runId, bad)).toBe(400);
    const foreign = new Request(`http://localhost/api/chat/${runId}/stream?startIndex=0`, {
      headers: { user: "bob" },
    });
    expect((await server.handle(foreign)).status).toBe(204);
  });
});
