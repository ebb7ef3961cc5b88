import { describe, expect, it } from "vitest";
import { RunChatTransport } from "../../src/ai-sdk-page.ts";
import { ask, askHalf, READY, standOf, textsOf } from "./page-turns.ts";
import { createRunServer, openRunPage, type RunPage, type RunServer } from "./run-page.ts";
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

/** Refuses the next question. */
function refuseNext(server: RunServer): void {
  const answered = server.onRequest;
  server.onRequest = async (request, answer) => {
    if (request.method !== "POST") return answer();
    server.onRequest = answered;
    const problem = { code: "payload_too_large", status: 413, detail: "Too large." };
    return Response.json(problem, { status: 413 });
  };
}

const ATTEMPTS: readonly (readonly [string, (page: RunPage) => Promise<void>])[] = [
  ["a second attempt", async ({ chat }) => chat.regenerate()],
  [
    "an edit",
    async ({ chat }) => chat.sendMessage({ text: "No.", messageId: chat.messages[0]?.id ?? "" }),
  ],
];

describe.each(ATTEMPTS)("a page whose question was refused: %s", (_name, attempt) => {
  it("keeps it, and after the next answer has all that the server has", async () => {
    const server = createRunServer(openRuns());
    const page = openRunPage(server, "tea");
    page.watch();
    await ask(page, server, 1);
    for (let count = 0; count < 2; count += 1) {
      refuseNext(server);
      await attempt(page);
      expect(standOf(page)).toMatchObject(["error", { code: "payload_too_large" }]);
      expect(textsOf(page)).toHaveLength(1);
    }
    await ask(page, server, 2);
    await expect.poll(() => textsOf(page)).toEqual(["Why?", "So.", "Why?", "So."]);
    expect(standOf(page)).toEqual(READY);
    const reads = server.requests.filter((one) => one === "GET /api/chat/tea");
    await ask(page, server, 3);
    // Now it has all, and reads nothing again.
    expect(textsOf(page)).toHaveLength(6);
    expect(server.requests.filter((one) => one === "GET /api/chat/tea")).toEqual(reads);
  });

  it("because it showed an answer has the question of that answer again at its end", async () => {
    const server = createRunServer(openRuns());
    const page = openRunPage(server, "tea");
    page.watch();
    const { sent } = await askHalf(page, server);
    await attempt(page);
    server.model.say("an answer");
    server.model.finish();
    await sent;
    await expect.poll(() => textsOf(page)).toEqual(["Why?", "Half an answer"]);
    await expect.poll(() => standOf(page)).toEqual(READY);
  });
});
