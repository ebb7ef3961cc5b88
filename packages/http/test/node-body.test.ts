import { once } from "node:events";
import { IncomingMessage, ServerResponse } from "node:http";
import { connect as connectHttp2, createServer as createHttp2Server } from "node:http2";
import { type AddressInfo, Socket } from "node:net";
import { text } from "node:stream/consumers";
import { setImmediate as turn } from "node:timers/promises";
import { RunEventsError } from "@tm/run-events-core";
import fc from "fast-check";
import { expect, it, onTestFinished, vi } from "vitest";
import { bounds } from "@tm/run-events-core/wire";
import { createNodeHandler, type NodeHandler } from "../src/node.ts";
import { readRequest } from "../src/node/read-request.ts";
import { ADA } from "./harness/accounts.ts";
import { eventually } from "./harness/eventually.ts";
import { openRuns, serve } from "./harness/host.ts";
import { encodeHead, openSocket } from "./harness/raw-socket.ts";
import { openWorld } from "./harness/world.ts";

const BODY = '{"events":[{"eventType":"NOTE"}]}';
const HEADERS = { ...ADA, "Content-Type": "application/json" };

/** The result of reading a body: its bytes, or the error's code. */
async function outcomeOf(reading: Promise<Uint8Array>): Promise<readonly number[] | string> {
  try {
    return [...(await reading)];
  } catch (error) {
    if (error instanceof RunEventsError) return error.code;
    throw error;
  }
}

it("W9: a body is the same by its events and by its iterator, in any pieces and turns", async () => {
  const piece = fc.record({ bytes: fc.uint8Array({ maxLength: 12 }), waits: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 8 }), fc.nat(40), async (pieces, maxBytes) => {
      async function* iterate(): AsyncGenerator<Uint8Array> {
        for (const { bytes } of pieces) yield bytes;
      }
      const request = new IncomingMessage(new Socket());
      const reading = outcomeOf(
        readRequest(request, new ServerResponse(request), maxBytes, () => {}),
      );
      for (const { bytes, waits } of pieces) {
        request.push(Buffer.from(bytes));
        if (waits) await turn();
      }
      request.push(null);
      expect(await reading).toEqual(
        await outcomeOf(bounds.readPieces(iterate(), maxBytes, () => {})),
      );
    }),
  );
});

it.for(["reset", "end"] as const)(
  "W9: a connection that breaks (%s) within a body appends nothing, and is not a failure of the server",
  async (how) => {
    await using world = await openWorld("node:http");
    const runId = await world.record();
    const length = { "Content-Length": String(BODY.length + 1) };
    const head = encodeHead("POST", `/v1/agent-runs/${runId}/events`, { ...HEADERS, ...length });
    using socket = await openSocket(world.port, head + BODY);
    await eventually(async () => expect(await world.connections()).toBe(1));
    if (how === "reset") socket.socket.resetAndDestroy();
    else socket.socket.end();
    await socket.closed;
    await eventually(async () => expect(await world.connections()).toBe(0));
    expect(await world.ada.get(runId)).toMatchObject({ lastSequence: 0 });
    expect(world.reported).toEqual([]);
  },
);

it("W9: on node:http too a body has 30 seconds to arrive, and leaves no timer", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    await using world = await openWorld("node:http");
    const path = `/v1/agent-runs/${await world.record()}/events`;
    const whole = encodeHead("POST", path, { ...HEADERS, "Content-Length": String(BODY.length) });
    using socket = await openSocket(world.port, whole + BODY);
    await socket.until('"replayed":false}');
    expect(vi.getTimerCount()).toBe(0);
    socket.socket.write(whole + BODY.slice(1));
    await eventually(() => expect(vi.getTimerCount()).toBe(1));
    await vi.advanceTimersByTimeAsync(30_000);
    expect(await socket.until("invalid_request")).toContain("HTTP/1.1 400 ");
  } finally {
    vi.useRealTimers();
  }
});

/** A handler, and a run that ada may append to. */
async function openHandler(): Promise<{
  readonly handler: NodeHandler;
  readonly path: string;
  readonly reported: readonly unknown[];
  lastSequence(): Promise<number>;
}> {
  const runs = await openRuns();
  const reported: unknown[] = [];
  const handler = createNodeHandler({
    runs,
    authenticate: () => ({ userId: "ada", credential: "bearer" }),
    onError: (error) => void reported.push(error),
  });
  const lastSequence = async (): Promise<number> => (await runs.as("ada").get("r")).lastSequence;
  return { handler, path: "/v1/agent-runs/r/events", reported, lastSequence };
}

it.for([
  ["has read", 500, text],
  ["has paused", 201, async (request: IncomingMessage) => request.pause()],
  ["has kept for a turn", 201, async () => turn()],
] as const)("W9: a body that a host %s is answered with %i", async ([, status, touch]) => {
  const { handler, path } = await openHandler();
  const host = await serve((request, response) => {
    void touch(request).then(() => handler.handle(request, response));
  });
  const headers = { "content-type": "application/json", connection: "close" };
  expect((await fetch(host.url + path, { method: "POST", headers, body: BODY })).status).toBe(
    status,
  );
});

it("W9: over HTTP/2 a body is read, and one that breaks off appends nothing", async () => {
  const { handler, path, reported, lastSequence } = await openHandler();
  const closed: unknown[] = [];
  const server = createHttp2Server((request, response) => {
    response.once("close", () => closed.push(request));
    // The API of node:http2 that is compatible with node:http.
    handler.handle(request as unknown as IncomingMessage, response as unknown as ServerResponse);
  });
  onTestFinished(() => void server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  onTestFinished(() => session.destroy());
  const head = { ":method": "POST", ":path": path, "content-type": "application/json" };

  const whole = session.request(head);
  whole.write(BODY.slice(0, 9));
  whole.end(BODY.slice(9)).resume();
  const [headers] = (await once(whole, "response")) as [{ readonly ":status": number }];
  expect([headers[":status"], await lastSequence()]).toEqual([201, 1]);

  const broken = session.request(head);
  broken.on("error", () => {});
  // Whole as JSON, but not the end of the body. A stream that is closed by itself would end it.
  broken.write(BODY);
  // Answered when what came before it has been taken in.
  await new Promise((resolve) => session.ping(resolve));
  session.destroy();
  await eventually(() => expect(closed).toHaveLength(2));
  await turn();
  expect([await lastSequence(), reported]).toEqual([1, []]);
});
