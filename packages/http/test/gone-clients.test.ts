import { setImmediate } from "node:timers/promises";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { createHandler, type Identity } from "../src/index.ts";
import { createNodeHandler, type NodeHandler } from "../src/node.ts";
import { ADA, ADA_SESSION } from "./harness/accounts.ts";
import type { Call } from "./harness/answer.ts";
import { eventually } from "./harness/eventually.ts";
import type { StoreCall } from "./harness/guarded-store.ts";
import { serve } from "./harness/host.ts";
import { encodeHead, openSocket, type RawSocket } from "./harness/raw-socket.ts";
import { openWorld, type World } from "./harness/world.ts";

const NOTHING = { requests: 0, bodyBytes: 0, answerBytes: 0 };
/** This many events make a whole page. */
const EVENTS = 31;
/** A slice of a page holds two: the last that the page has, by whose time it knows the log again, and the next. */
const EVENT = { eventType: "NOTE", payload: "x".repeat(130_000) };

/** A run of ada's whose page takes 4 MB. */
async function recordPage(world: World): Promise<string> {
  const runId = await world.record();
  for (let at = 0; at < EVENTS; at++) await world.ada.append(runId, [EVENT]);
  return runId;
}

/** Sends requests on a connection each. */
function ask(world: World, count: number, text: string): Promise<readonly RawSocket[]> {
  return Promise.all(Array.from({ length: count }, () => openSocket(world.port, text)));
}

/** Closes the connections; resolves when the port has noticed, and has only these others. */
async function leave(world: World, sockets: readonly RawSocket[], others = 0): Promise<void> {
  for (const { socket } of sockets) socket.resetAndDestroy();
  await eventually(async () => expect(await world.connections()).toBe(others));
}

async function untilNothingIsLeft(world: World): Promise<void> {
  await eventually(() => expect(world.stats().inFlight).toEqual(NOTHING));
  expect(world.reported).toEqual([]);
}

describe("the work of clients that have gone", () => {
  it("W49: no page is read beyond the slice that had begun, however many asked", async () => {
    await using world = await openWorld("node:http");
    const path = `/v1/agent-runs/${await recordPage(world)}/events`;
    const release = world.store.hold("read");
    const sockets = await ask(world, 100, encodeHead("GET", path, ADA));
    await eventually(() => expect(world.stats().inFlight.requests).toBe(100));
    await eventually(() => expect(world.store.held()).toBe(1));
    const before = world.store.asked("read");
    await leave(world, sockets);
    release();
    await untilNothingIsLeft(world);
    // The first slices that were being read when the clients went.
    expect(world.store.asked("read") - before).toBeLessThanOrEqual(32);
  });

  it("W49: a page ends at the slice during which its client leaves", async () => {
    await using world = await openWorld("node:http");
    const path = `/v1/agent-runs/${await recordPage(world)}/events`;
    let release = world.store.hold("read");
    const sockets = await ask(world, 1, encodeHead("GET", path, ADA));
    for (let slice = 1; slice < 4; slice++) {
      await eventually(() => expect(world.store.asked("read")).toBe(slice));
      const releaseSlice = release;
      release = world.store.hold("read");
      releaseSlice();
    }
    await eventually(() => expect(world.store.asked("read")).toBe(4));
    await leave(world, sockets);
    release();
    await untilNothingIsLeft(world);
    expect(world.store.asked("read")).toBe(4);
  });

  it("W49: a list is not read further", async () => {
    await using world = await openWorld("node:http");
    for (let at = 0; at < 40; at++) await world.record();
    const release = world.store.hold("list");
    const sockets = await ask(world, 50, encodeHead("GET", "/v1/agent-runs?limit=200", ADA));
    await eventually(() => expect(world.store.held()).toBe(50));
    await leave(world, sockets);
    release();
    await untilNothingIsLeft(world);
    expect(world.store.asked("list")).toBe(50);
  });

  it("W49: a poll that waited is not read again", async () => {
    await using world = await openWorld("node:http");
    const runId = await world.record("NOTE");
    const path = `/v1/agent-runs/${runId}/events?since=1&wait=30`;
    const sockets = await ask(world, 10, encodeHead("GET", path, ADA));
    await eventually(() => expect(world.stats().waiting).toBe(10));
    await world.turn();
    const before = world.store.asked("read");
    await leave(world, sockets);
    await untilNothingIsLeft(world);
    expect(world.store.asked("read")).toBe(before);
  });
});

it.each([
  ["a short page", 1, 1],
  ["a page of 4 MB, at its first look", 40, 1],
  ["a page of 4 MB, in its middle", 40, 7],
  ["a page of 4 MB, at its last slice", 40, 34],
])(
  "W49: %s is not answered if its client leaves meanwhile, and the host's log has a 499",
  async (_, events, slice) => {
    await using world = await openWorld("Request to Response");
    const runId = await world.record();
    for (let at = 0; at < events; at++) await world.ada.append(runId, [EVENT]);
    const identity: Identity = { userId: "ada", credential: "bearer" };
    const handler = createHandler({ runs: world.runs, authenticate: () => identity });
    const left = new AbortController();
    let release = world.store.hold("read");
    const before = world.store.asked("read");
    const answering = handler.fetch(
      new Request(`http://localhost/v1/agent-runs/${runId}/events`, { signal: left.signal }),
    );
    for (let at = 1; at < slice; at++) {
      await eventually(() => expect(world.store.asked("read") - before).toBe(at));
      const releaseSlice = release;
      release = world.store.hold("read");
      releaseSlice();
    }
    await eventually(() => expect(world.store.asked("read") - before).toBe(slice));
    left.abort();
    release();
    const response = await answering;
    expect([response.status, await response.text()]).toEqual([499, ""]);
    expect(world.store.asked("read") - before).toBe(slice);
    expect(handler.stats().inFlight).toEqual(NOTHING);
  },
);

/** Every way to read, and what it asks the store for. */
const READS: readonly (readonly [StoreCall, (runId: string) => Call])[] = [
  ["list", () => ({ path: "/v1/agent-runs", headers: ADA })],
  ["read", (runId) => ({ path: `/v1/agent-runs/${runId}`, headers: ADA })],
  ["read", (runId) => ({ path: `/v1/agent-runs/${runId}/events`, headers: ADA })],
  ["read", (runId) => ({ path: `/v1/agent-runs/${runId}/events?wait=30`, headers: ADA })],
  ["read", (runId) => ({ path: `/v1/agent-runs/${runId}/stream`, headers: ADA_SESSION })],
  [
    "read",
    (runId) => ({
      path: `/v1/agent-runs/${runId}/stream`,
      headers: { ...ADA_SESSION, "last-event-id": "1" },
    }),
  ],
  [
    "read",
    (runId) => ({ path: `/v1/agent-runs/${runId}/stream`, method: "HEAD", headers: ADA_SESSION }),
  ],
];

/** A port whose users are known only when the test lets them be. */
interface SlowPort {
  readonly handler: NodeHandler;
  readonly port: number;
  /** The number of requests that have asked for their user. */
  asked(): number;
  connections(): Promise<number>;
  /** Answers that every user is ada. */
  know(): void;
}

async function openSlowPort(world: World): Promise<SlowPort> {
  const known = Promise.withResolvers<Identity>();
  let asked = 0;
  const handler = createNodeHandler({
    runs: world.runs,
    authenticate() {
      asked += 1;
      return known.promise;
    },
  });
  const { server, port } = await serve((request, response) => handler.handle(request, response));
  return {
    handler,
    port,
    asked: () => asked,
    connections: promisify(server.getConnections.bind(server)),
    know: () => known.resolve({ userId: "ada", credential: "session" }),
  };
}

describe.each(READS)("a request that would ask the store for %s", (name, callOf) => {
  it("W49: a read asks the store for nothing if its client leaves before its user is known", async () => {
    await using world = await openWorld("node:http");
    const { path, method = "GET", headers } = callOf(await world.record("NOTE"));
    const { port, handler, asked, connections, know } = await openSlowPort(world);
    const { socket } = await openSocket(port, encodeHead(method, path, headers));
    await eventually(() => expect(asked()).toBe(1));
    const before = world.store.asked(name);
    socket.resetAndDestroy();
    await eventually(async () => expect(await connections()).toBe(0));
    know();
    for (let turn = 0; turn < 5; turn++) await setImmediate();
    expect(world.store.asked(name) - before).toBe(0);
    expect(handler.stats()).toMatchObject({ inFlight: NOTHING, streams: { open: 0 } });
  });
});

it.each(["reset", "end"] as const)(
  "W49: appends that wait for the store land whole, though their clients have gone (%s)",
  async (how) => {
    await using world = await openWorld("node:http");
    const runId = await world.record();
    const path = `/v1/agent-runs/${runId}/events`;
    const release = world.store.hold("append");
    const sockets: RawSocket[] = [];
    let sent = 0;
    for (const payload of ["1", "2", `"${"x".repeat(200_000)}"`]) {
      const body = `{"events":[{"eventType":"A"},{"eventType":"B","payload":${payload}}]}`;
      const type = { ...ADA, "content-type": "application/json" };
      const head = encodeHead("POST", path, { ...type, "content-length": String(body.length) });
      sent += head.length + body.length;
      sockets.push(await openSocket(world.port, head + body));
      await eventually(() => expect(world.stats().inFlight.requests).toBe(sockets.length));
    }
    await eventually(() => expect(world.store.held()).toBe(1));
    await eventually(() => expect(world.read()).toBe(sent));
    await world.turn();
    for (const { socket } of sockets) {
      if (how === "reset") socket.resetAndDestroy();
      else socket.end();
    }
    await eventually(async () => expect(await world.connections()).toBe(0));
    release();
    await untilNothingIsLeft(world);
    expect((await world.ada.get(runId)).lastSequence).toBe(6);
  },
);

it("W49: a change lands once the server has read its body, even if its client has left meanwhile", async () => {
  await using world = await openWorld("node:http");
  const { port, handler, asked, know } = await openSlowPort(world);
  const headers = { "content-type": "application/json", "content-length": "2" };
  const text = `${encodeHead("POST", "/v1/agent-runs", headers)}{}`;
  const sockets = await Promise.all(Array.from({ length: 100 }, () => openSocket(port, text)));
  await eventually(() => expect(asked()).toBe(100));
  know();
  while (handler.stats().inFlight.requests < 100) await Promise.resolve();
  for (const { socket } of sockets) socket.resetAndDestroy();
  await eventually(() => expect(handler.stats().inFlight).toEqual(NOTHING));
  const { runs } = await world.runs.list({ ownerId: "ada", limit: 200 });
  expect(runs).toHaveLength(100);
});
