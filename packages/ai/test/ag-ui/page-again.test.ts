import { createMemoryStore, createRunEvents } from "@tm/run-events-core";
import { expect, it, onTestFinished } from "vitest";
import { createServer, openPage, type TestPage, type TestServer, textsOf } from "./server.ts";

function openServer(): TestServer {
  const runs = createRunEvents({ store: createMemoryStore() });
  onTestFinished(() => runs.close());
  return createServer(runs);
}

/** The page asks, and gets the answer. */
async function ask(page: TestPage, { agent }: TestServer, count: number): Promise<void> {
  const sent = page.send(`q${count}`);
  await agent.asked(count);
  agent.say(`a${count}`);
  agent.finish();
  await sent;
}

/** The page asks, and leaves when it has a part of the answer. */
async function leaveHalf(page: TestPage, { agent }: TestServer, count: number): Promise<void> {
  const sent = page.send(`q${count}`);
  await agent.asked(count);
  agent.say("Half ");
  await expect.poll(() => textsOf(page.agent.messages)).toContain("Half ");
  await page.agent.detachActiveRun();
  await sent;
}

it("a page that detaches in mid-run and connects again has each text once", async () => {
  const server = openServer();
  const page = server.openPage("tea");
  await ask(page, server, 1);
  await leaveHalf(page, server, 2);
  const connected = page.agent.connectAgent();
  server.agent.say("an answer");
  await expect.poll(() => textsOf(page.agent.messages).at(-1)).toBe("Half an answer");
  // Once more, in the middle of a connection.
  await page.agent.detachActiveRun();
  await connected;
  const again = page.agent.connectAgent();
  server.agent.finish();
  await again;
  const texts = ["q1", "a1", "q2", "Half an answer"];
  expect(textsOf(page.agent.messages)).toEqual(texts);
  await page.agent.connectAgent();
  await ask(page, server, 3);
  expect(textsOf(page.agent.messages)).toEqual([...texts, "q3", "a3"]);
});

it("a page whose run was removed shows the thread as it is when it connects, without an error", async () => {
  const server = openServer();
  const page = server.openPage("tea");
  await ask(page, server, 1);
  const { since } = page.agent;
  await ask(page, server, 2);
  const [last] = (await server.runs.list({ ownerId: "ada" })).runs;
  await server.runs.delete(last?.runId ?? "");
  const errors: unknown[] = [];
  page.agent.subscribe({ onRunFailed: ({ error }) => void errors.push(error) });
  await page.agent.connectAgent();
  expect(errors).toEqual([]);
  expect(textsOf(page.agent.messages)).toEqual(["q1", "a1"]);
  expect(page.agent.since).toBe(since);
  await ask(page, server, 3);
  expect(textsOf(page.agent.messages)).toEqual(["q1", "a1", "q3", "a3"]);
});

it("a page whose run has lost events shows the thread as it is when it connects", async () => {
  const server = openServer();
  const page = server.openPage("tea");
  await ask(page, server, 1);
  const [, runId = "", sequence = ""] = /^(.*):(\d+)$/.exec(page.agent.since ?? "") ?? [];
  // Before the backup was restored, the run had more events.
  page.agent.since = `${runId}:${Number(sequence) + 10}`;
  page.agent.addMessage({ id: "lost", role: "user", content: "lost" });
  await page.agent.connectAgent();
  expect(textsOf(page.agent.messages)).toEqual(["q1", "a1"]);
});

it("a page that connects asks once, if its place is still there", async () => {
  const server = openServer();
  const requests: string[] = [];
  const page = openPage({
    url: "http://localhost/api/agent",
    threadId: "tea",
    async fetch(url, init) {
      requests.push(`${init?.method ?? "GET"} ${new URL(url as string).pathname}`);
      return server.handle(new Request(url, init));
    },
  });
  await ask(page, server, 1);
  await page.agent.connectAgent();
  expect(requests).toEqual(["POST /api/agent", "GET /api/agent/tea/stream"]);
});
