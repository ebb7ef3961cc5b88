import { createServer as createHttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import {
  createMemoryStore,
  createRunEvents,
  type RunEvent,
  type RunEvents,
} from "@tm/run-events-core";
import { expect, it, onTestFinished } from "vitest";
import { defaultTransport, PageChat } from "./page-chat.ts";
import { createServer } from "./server.ts";

/** Serves the routes over HTTP. @returns asks them over the network */
async function serve(
  handle: (request: Request) => Promise<Response>,
): Promise<(request: Request) => Promise<Response>> {
  const listen = getRequestListener(handle);
  const server = createHttpServer((request, response) => void listen(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return (request) => {
    const { pathname } = new URL(request.url);
    return fetch(new Request(`http://127.0.0.1:${port}${pathname}`, request));
  };
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

it("over HTTP a page that leaves has no reader any more, and one that comes back gets all of the answer", async () => {
  const { runs, count } = countReaders(createRunEvents({ store: createMemoryStore() }));
  onTestFinished(() => runs.close());
  const { handle, model, read } = createServer(runs);
  const ask = await serve(handle);
  const page = new PageChat("tea", defaultTransport(ask));
  const sent = page.sendMessage({ text: "Why?" });
  await model.asked(1);
  model.say("Half ");
  await expect.poll(() => page.text).toBe("Half ");
  expect(count()).toBe(1);
  await page.stop();
  await sent;
  await expect.poll(count).toBe(0);
  const back = new PageChat("tea", defaultTransport(ask), await read("tea"));
  const resumed = back.resumeStream();
  // A page that asks for a run that has ended gets nothing more of it.
  await expect.poll(count).toBe(1);
  model.say("an answer");
  model.finish();
  await resumed;
  expect([back.status, back.text, count()]).toEqual(["ready", "Half an answer", 0]);
});
