import type { UIMessage } from "ai";
import { describe, expect, it, type Mock, vi } from "vitest";
import { type PageChat, textOf } from "./page-chat.ts";
import { askHalf, turn } from "./page-turns.ts";
import { createRunServer, openRunPage, type RunServer } from "./run-page.ts";
import { openRuns } from "./small-chats.ts";

describe("a page that reads the messages", () => {
  /** A page that has asked for the messages, and gets them when it may. */
  async function openReading(server: RunServer): Promise<{
    readonly chat: PageChat;
    readonly setMessages: Mock<(messages: readonly UIMessage[]) => void>;
    readonly go: () => void;
  }> {
    const page = openRunPage(server, "tea");
    const setMessages = vi.spyOn(page.chat, "setMessages");
    const { promise, resolve } = Promise.withResolvers<void>();
    let isReading = false;
    server.onRequest = async (request, answer) => {
      const answered = await answer();
      if (request.method === "GET" && request.url.endsWith("/api/chat/tea") && !isReading) {
        isReading = true;
        await promise;
      }
      return answered;
    };
    page.watch();
    await expect.poll(() => isReading).toBe(true);
    return { chat: page.chat, setMessages, go: resolve };
  }

  it("while an answer ends gets all of it", async () => {
    const server = createRunServer(openRuns());
    const asking = openRunPage(server, "tea");
    const { sent } = await askHalf(asking, server);
    const { chat, go } = await openReading(server);
    server.model.say("an answer");
    server.model.finish();
    await sent;
    go();
    await expect.poll(() => chat.messages.map(textOf)).toEqual(["Why?", "Half an answer"]);
  });

  it("while its user asks keeps the question", async () => {
    const server = createRunServer(openRuns());
    await turn(server, "a");
    const { chat, setMessages, go } = await openReading(server);
    const sent = chat.sendMessage({ text: "Why?" });
    await server.model.asked(1);
    go();
    server.model.say("So.");
    server.model.finish();
    await sent;
    const texts = ["a", "to a", "Why?", "So."];
    await expect.poll(() => chat.messages.map(textOf)).toEqual(texts);
    expect(chat.status).toBe("ready");
    // Its first read lacks the question, and is not shown.
    expect(setMessages.mock.calls.map(([messages]) => messages.map(textOf))).toEqual([texts]);
  });

  it("while another turn comes gets that, too", async () => {
    const server = createRunServer(openRuns());
    await turn(server, "a");
    const { chat, go } = await openReading(server);
    await turn(server, "b");
    const other = openRunPage(server, "tea");
    other.watch();
    const texts = ["a", "to a", "b", "to b"];
    await expect.poll(() => other.chat.messages.map(textOf)).toEqual(texts);
    go();
    await expect.poll(() => chat.messages.map(textOf)).toEqual(texts);
  });
});
