import { expect, it } from "vitest";
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
