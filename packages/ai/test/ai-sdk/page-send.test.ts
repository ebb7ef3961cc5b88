import { expect, it } from "vitest";
import { RunChatTransport } from "../../src/ai-sdk-page.ts";
import { createRunServer, openRunPage } from "./run-page.ts";
import { asked, openRuns } from "./small-chats.ts";

it("a question that is given up before it is sent is not sent", async () => {
  const server = createRunServer(openRuns());
  const { transport } = openRunPage(server, "tea");
  const send = {
    trigger: "submit-message" as const,
    chatId: "tea",
    messageId: undefined,
    messages: [asked("a")],
    abortSignal: AbortSignal.abort(),
  };
  await expect(transport.sendMessages(send)).rejects.toThrow("aborted");
  expect(server.requests).toEqual([]);
});

it.each(["http://localhost:8080/api/chat", "api/chat"])(
  "an api that is not a path is refused: %s",
  (api) => {
    expect(() => new RunChatTransport({ api })).toThrow(
      `Expected api to be a path, such as /api/chat, got ${api}.`,
    );
  },
);
