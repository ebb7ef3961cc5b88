import type { UIMessage } from "ai";
import { describe, expect, it } from "vitest";
import { createChats } from "../../src/ai-sdk.ts";
import { textOf } from "./page-chat.ts";
import { createServer } from "./server.ts";
import { asked, openRuns, OWNER, PLACE, readAll, runOf, saying, streamOf } from "./small-chats.ts";

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
    const ready = Promise.withResolvers<void>();
    const second = await chats.answer({ ...PLACE, message }, async () => {
      await ready.promise;
      return saying("Thanks.");
    });
    const meanwhile = await chats.read("tea", OWNER);
    expect(meanwhile.messages[1]?.parts).toEqual([part]);
    expect(runOf(meanwhile.messages[1])).toEqual({ runId: second.runId, runStatus: "running" });
    ready.resolve();
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
    const metadata = { model: "m", run };
    expect(messages[1]).toEqual({ id: "mine", role: "assistant", parts: [], metadata });
  });

  it("answers to which the program gives one id lose no question", async () => {
    const chats = createChats({ runs: openRuns() });
    for (const id of ["a", "b"]) {
      const start = { type: "start" as const, messageId: "same" };
      await (
        await chats.answer({ ...PLACE, message: asked(id) }, () => streamOf(start))
      ).done;
    }
    const { messages } = await chats.read("tea", OWNER);
    expect(messages.map(({ id }) => id)).toEqual(["a", "same", "b", "same"]);
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
