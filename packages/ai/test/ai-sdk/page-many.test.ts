import { expect, it } from "vitest";
import { RunChatTransport } from "../../src/ai-sdk-page.ts";
import { PageChat } from "./page-chat.ts";
import { turn } from "./page-turns.ts";
import { createRunServer, pageOptions } from "./run-page.ts";
import { openRuns, OWNER } from "./small-chats.ts";

it("20 chats in a page have one connection, read only their own turns, and leave nothing open", async () => {
  const server = createRunServer(openRuns());
  const transport = new RunChatTransport({ ...pageOptions(server), userId: crypto.randomUUID() });
  const chats = Array.from({ length: 20 }, (_, index) => new PageChat(`c${index}`, transport));
  const leaves = chats.map((chat) => transport.watch(chat).subscribe(() => {}));
  for (const { id } of chats) await turn(server, `q-${id}`, { ...OWNER, chatId: id });
  await expect
    .poll(() => chats.map(({ text }) => text))
    .toEqual(chats.map(({ id }) => `to q-${id}`));
  expect(server.openAnswers()).toBe(1);
  const reads = server.requests.filter((one) => one.startsWith("GET /api/chat/"));
  expect(new Set(reads).size).toBe(20);
  const [first, second, ...rest] = chats;
  const asked = first?.sendMessage({ text: "Why?" });
  await server.model.asked(1);
  // The model writes to the one that has asked last.
  const askedLast = second?.sendMessage({ text: "Why?" });
  await server.model.asked(2);
  for (const { id } of rest) expect(await transport.stop(id)).toBe(false);
  expect(await transport.stop("c0")).toBe(true);
  await expect.poll(() => first?.status).toBe("ready");
  expect(server.openAnswers()).toBe(1);
  server.model.say("So.");
  server.model.finish();
  await Promise.all([asked, askedLast]);
  expect(second?.text).toBe("So.");
  for (const leave of leaves) leave();
  await expect.poll(() => server.openAnswers()).toBe(0);
});
