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
  await server.runs.delete(last?.runId ?? "", { ownerId: "ada" });
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

const INTERRUPTS = [{ id: "i-1", reason: "approval", message: "Send the mail?" }];

/** A page whose run asks a question. */
async function openAsked(server: TestServer): Promise<TestPage> {
  const page = server.openPage("tea");
  const sent = page.send("q1");
  await server.agent.asked(1);
  server.agent.finish({ type: "interrupt", interrupts: INTERRUPTS });
  await sent;
  expect(page.agent.pendingInterrupts).toEqual(INTERRUPTS);
  return page;
}

it("a page whose question another page has answered connects again, and goes on", async () => {
  const server = openServer();
  const page = await openAsked(server);
  const other = server.openPage("tea");
  await other.agent.connectAgent();
  const resumed = other.agent.runAgent({
    resume: [{ interruptId: "i-1", status: "resolved", payload: {} }],
  });
  await server.agent.asked(2);
  server.agent.say("a1");
  server.agent.finish();
  await resumed;
  await page.agent.connectAgent();
  expect(textsOf(page.agent.messages)).toEqual(["q1", "a1"]);
  expect(page.agent.pendingInterrupts).toEqual([]);
  await ask(page, server, 3);
  expect(textsOf(page.agent.messages)).toEqual(["q1", "a1", "q3", "a3"]);
});

it("a page with an open question still has it after it connects again, and after it cannot", async () => {
  const server = openServer();
  const page = await openAsked(server);
  await page.agent.connectAgent();
  expect(page.agent.pendingInterrupts).toEqual(INTERRUPTS);
  page.agent.headers = { user: "" };
  await expect(page.agent.connectAgent()).rejects.toThrow("401");
  expect(page.agent.pendingInterrupts).toEqual(INTERRUPTS);
});

it("a page that stops a run that waits can ask again", async () => {
  const server = openServer();
  const page = await openAsked(server);
  page.agent.abortRun();
  await expect.poll(() => page.agent.pendingInterrupts).toEqual([]);
  await ask(page, server, 2);
  expect(textsOf(page.agent.messages)).toEqual(["q1", "q2", "a2"]);
});
