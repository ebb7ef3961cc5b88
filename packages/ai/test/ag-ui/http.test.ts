import { createServer as createHttpServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import {
  createMemoryStore,
  createRunEvents,
  type RunEvent,
  type RunEvents,
} from "@tm/run-events-core";
import { expect, it, onTestFinished } from "vitest";
import { createServer, openPage, textsOf } from "./server.ts";

type Handle = (request: Request) => Promise<Response>;

/** Serves routes over HTTP. */
async function serve(
  handle: Handle,
  port = 0,
): Promise<{ readonly server: Server; readonly port: number }> {
  const listen = getRequestListener(handle);
  const server = createHttpServer((request, response) => void listen(request, response));
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { server, port: (server.address() as AddressInfo).port };
}

/** Runs that count the readers of their logs. */
function countReaders(runs: RunEvents): { readonly runs: RunEvents; readonly count: () => number } {
  let open = 0;
  async function* tail(...call: Parameters<RunEvents["tail"]>): AsyncGenerator<RunEvent, void> {
    open += 1;
    try {
      yield* runs.tail(...call);
    } finally {
      open -= 1;
    }
  }
  return { runs: { ...runs, tail }, count: () => open };
}

function openRuns(): RunEvents {
  const runs = createRunEvents({ store: createMemoryStore() });
  onTestFinished(() => runs.close());
  return runs;
}

it("a network that is cut in mid-run, and a server that is replaced, show only as a pause, and each event comes once", async () => {
  const runs = openRuns();
  const [first, second] = [createServer(runs, { mergeMs: 0 }), createServer(runs)];
  const { server, port } = await serve(first.handle);
  const page = openPage({ url: `http://127.0.0.1:${port}/api/agent`, threadId: "tea" });
  const sent = page.send("Why?");
  await first.agent.asked(1);
  first.agent.say("Half ");
  await expect.poll(() => textsOf(page.agent.messages)).toContain("Half ");
  server.closeAllConnections();
  first.agent.say("an ");
  await expect.poll(() => textsOf(page.agent.messages)).toContain("Half an ");
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  first.agent.say("answer");
  await serve(second.handle, port);
  first.agent.finish();
  await sent;
  expect(textsOf(page.agent.messages)).toEqual(["Why?", "Half an answer"]);
  expect(page.events.filter(({ type }) => type === "RUN_STARTED")).toHaveLength(1);
  expect(page.agent.isRunning).toBe(false);
});

it("a request whose answer was lost runs the agent once", async () => {
  const { agent, handle } = createServer(openRuns());
  let isFirst = true;
  const { server, port } = await serve(async (request) => {
    const response = await handle(request);
    if (!isFirst) return response;
    isFirst = false;
    server.closeAllConnections();
    return response;
  });
  const page = openPage({ url: `http://127.0.0.1:${port}/api/agent`, threadId: "tea" });
  const sent = page.send("Why?");
  await agent.asked(1);
  agent.say("So.");
  agent.finish();
  await sent;
  expect(textsOf(page.agent.messages)).toEqual(["Why?", "So."]);
  const next = page.send("And?");
  const { input } = await agent.asked(2);
  expect(textsOf(input.messages)).toEqual(["Why?", "So.", "And?"]);
  agent.finish();
  await next;
});

it("a page that detaches leaves no reader, and an abort without a server closes the connection", async () => {
  const { runs, count } = countReaders(openRuns());
  const { agent, handle } = createServer(runs);
  const { server, port } = await serve(handle);
  const page = openPage({ url: `http://127.0.0.1:${port}/api/agent`, threadId: "tea" });
  const sent = page.send("Why?");
  await agent.asked(1);
  agent.say("Half ");
  await expect.poll(() => textsOf(page.agent.messages)).toContain("Half ");
  expect(count()).toBe(1);
  await page.agent.detachActiveRun();
  await sent;
  await expect.poll(count).toBe(0);
  const connected = page.agent.connectAgent();
  await expect.poll(count).toBe(1);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  page.agent.abortRun();
  await connected;
  expect(page.agent.isRunning).toBe(false);
  await expect.poll(count).toBe(0);
  agent.finish();
});
