import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { createHandler, type Handler, type Identity } from "../src/index.ts";
import { ADA_SESSION } from "./harness/accounts.ts";
import { createManualClock, type ManualClock } from "./harness/manual-clock.ts";
import { encodeHead, openSocket, type RawSocket } from "./harness/raw-socket.ts";
import { DOORS, openWorld, type World } from "./harness/world.ts";
import { eventually } from "./harness/eventually.ts";

const PAYLOAD = "x".repeat(8_192);

async function expectNothingLeft(world: World, clock: ManualClock): Promise<void> {
  await eventually(async () => expect(await world.connections()).toBe(0));
  await eventually(() =>
    expect([world.stats().streams.open, world.store.subscriptions(), clock.timers()]).toEqual([
      0, 0, 0,
    ]),
  );
}

async function ask(world: World, runId: string, query = ""): Promise<RawSocket> {
  const path = `/v1/agent-runs/${runId}/stream${query}`;
  return openSocket(world.port, encodeHead("GET", path, ADA_SESSION));
}

/** A point in the life of a stream, reached by the client of the socket. */
const PHASES = {
  async "before the run has been read"(world: World): Promise<RawSocket> {
    const runId = await world.record("NOTE");
    world.store.hold("read");
    const socket = await ask(world, runId);
    await eventually(() => expect(world.store.held()).toBe(1));
    return socket;
  },
  async "before the end of the run has been looked up"(world: World): Promise<RawSocket> {
    const runId = await world.record("NOTE");
    world.store.hold("read");
    const path = `/v1/agent-runs/${runId}/stream`;
    const headers = { ...ADA_SESSION, "Last-Event-ID": "1" };
    const socket = await openSocket(world.port, encodeHead("GET", path, headers));
    await eventually(() => expect(world.store.held()).toBe(1));
    return socket;
  },
  async "while it is quiet"(world: World): Promise<RawSocket> {
    const socket = await ask(world, await world.record("NOTE"));
    await socket.until('"type":"run_event"');
    return socket;
  },
  async "while a page is on its way"(world: World): Promise<RawSocket> {
    const runId = await world.record(...Array<string>(900).fill("NOTE"));
    let release = world.store.hold("read");
    const socket = await ask(world, runId);
    // The check of the run's owner passes, then the read after the subscription; the read of the page is held.
    for (let look = 0; look < 2; look++) {
      await eventually(() => expect(world.store.held()).toBe(1));
      const releaseLook = release;
      release = world.store.hold("read");
      releaseLook();
      // Until it is no longer counted.
      await setImmediate();
    }
    await socket.until('"type":"connected"');
    await eventually(() => expect(world.store.held()).toBe(1));
    return socket;
  },
  async "while its connection is full"(world: World): Promise<RawSocket> {
    const runId = await world.record("NOTE");
    const socket = await ask(world, runId);
    await socket.until('"type":"run_event"');
    socket.socket.pause();
    for (let at = 0; at < 6; at++) {
      await world.ada.append(runId, Array(500).fill({ eventType: "NOTE", payload: PAYLOAD }));
    }
    await eventually(() => expect(Math.max(...world.inFlight())).toBeGreaterThan(16_384));
    return socket;
  },
};

describe.each(Object.entries(PHASES))("W25: a client that leaves %s", (_, reach) => {
  it.each(["reset", "close"] as const)(
    "W25: a client that leaves by %s leaves nothing open",
    async (how) => {
      const clock = createManualClock();
      await using world = await openWorld("node:http", { clock });
      using socket = await reach(world);
      if (how === "reset") socket.socket.resetAndDestroy();
      else socket.socket.destroy();
      await eventually(async () => expect(await world.connections()).toBe(0));
      world.store.releaseAll();
      await expectNothingLeft(world, clock);
      expect(world.reported).toEqual([]);
    },
  );
});

it("W25: a client that has closed its sending side and reads on gets an orderly end", async () => {
  const clock = createManualClock();
  await using world = await openWorld("node:http", { clock });
  using socket = await PHASES["while its connection is full"](world);
  socket.socket.end();
  socket.socket.resume();
  await socket.closed;
  await expectNothingLeft(world, clock);
  expect(world.clientErrors()).toEqual([]);
});

describe.each(DOORS)("%s", (door) => {
  it("W25: after 500 clients have come and gone no listener, timer, subscription or connection is left", async () => {
    const clock = createManualClock();
    await using world = await openWorld(door, { clock, maxStreamsPerUser: 1_000 });
    const runId = await world.record("NOTE");
    // Other timers are the test runner's; all of core's are on the clock.
    const sockets = (): readonly string[] =>
      process.getActiveResourcesInfo().filter((name) => name.startsWith("TCP"));
    // The first ones allocate what stays for good.
    let before: readonly string[] = [];
    for (let round = 0; round < 25; round++) {
      const streams = await Promise.all(Array.from({ length: 20 }, () => world.tail(runId)));
      await Promise.all(streams.map((stream) => stream.until("run_event")));
      expect(world.store.subscriptions()).toBe(1);
      for (const stream of streams) stream.leave();
      await expectNothingLeft(world, clock);
      if (round === 0) before = sockets();
    }
    await eventually(() => expect(sockets()).toEqual(before));
    expect(world.stats().streams).toMatchObject({
      open: 0,
      opened: 500,
      ended: { disconnected: 500 },
    });
  });

  it("W25: when one of several readers of a run leaves, the others read on", async () => {
    await using world = await openWorld(door);
    const runId = await world.record("NOTE");
    const streams = await Promise.all([0, 1, 2].map(() => world.tail(runId)));
    for (const stream of streams) await stream.until("run_event");
    streams[1]?.leave();
    await eventually(() => expect(world.stats().streams.open).toBe(2));
    await world.ada.append(runId, [{ eventType: "RUN_COMPLETED" }]);
    for (const stream of [streams[0], streams[2]]) {
      expect((await stream?.rest())?.map(({ data }) => data["type"])).toEqual([
        "run_event",
        "run_finished",
      ]);
    }
  });
});

it.each([1, 2])(
  "W25: a Response whose request has been broken off during its look %d at the run holds nothing open",
  async (look) => {
    await using world = await openWorld("Request to Response");
    const runId = await world.record("NOTE");
    const handler = createHandler({
      runs: world.runs,
      authenticate: () => ({ userId: "ada", credential: "session" }),
    });
    const left = new AbortController();
    let release = world.store.hold("read");
    const answering = handler.fetch(
      new Request(`http://localhost/v1/agent-runs/${runId}/stream`, {
        headers: { "last-event-id": "0" },
        signal: left.signal,
      }),
    );
    for (let at = 1; at < look; at++) {
      await eventually(() => expect(world.store.held()).toBe(1));
      const releaseLook = release;
      release = world.store.hold("read");
      releaseLook();
      await setImmediate();
    }
    await eventually(() => expect(world.store.held()).toBe(1));
    left.abort();
    release();
    const response = await answering;
    expect([handler.stats().streams.open, world.store.subscriptions()]).toEqual([0, 0]);
    expect(await response.text()).toBe("");
  },
);

it("W25: a Response that is broken off while it is read, or before it is, ends", async () => {
  await using world = await openWorld("Request to Response");
  const runId = await world.record("NOTE");
  const handler = createHandler({
    runs: world.runs,
    authenticate: () => ({ userId: "ada", credential: "session" }),
  });
  const url = `http://localhost/v1/agent-runs/${runId}/stream`;
  for (const reads of [0, 1, 3]) {
    const left = new AbortController();
    const response = await handler.fetch(new Request(url, { signal: left.signal }));
    const reader = response.body?.getReader();
    for (let at = 0; at < reads; at++) void reader?.read();
    await world.turn();
    left.abort();
    expect([handler.stats().streams.open, world.store.subscriptions()]).toEqual([0, 0]);
    expect(await reader?.closed.then(() => "closed")).toBe("closed");
  }
});

describe("a Response that is not read", () => {
  async function unread(world: World, runId: string): Promise<Response> {
    const { runs } = world;
    const authenticate = (): Identity => ({ userId: "ada", credential: "session" });
    const handler = createHandler({ runs, authenticate, maxStreamsPerUser: 1 });
    const url = `http://localhost/v1/agent-runs/${runId}/stream`;
    const response = await handler.fetch(new Request(url));
    handlers.set(response, handler);
    return response;
  }
  const handlers = new WeakMap<Response, Handler>();

  it("W25: an unread Response frees its place after the stall limit, and ends with slow_consumer if it is read later", async () => {
    const clock = createManualClock();
    await using world = await openWorld("Request to Response", { clock });
    const response = await unread(world, await world.record("NOTE"));
    const handler = handlers.get(response);
    clock.advance(29_000);
    expect(handler?.stats().streams.open).toBe(1);
    clock.advance(1_000);
    expect(handler?.stats().streams).toMatchObject({ open: 0, ended: { slow_consumer: 1 } });
    expect([world.store.subscriptions(), clock.timers()]).toEqual([0, 0]);
    expect(await response.text()).toContain('"code":"slow_consumer"');
  });

  it("W27: an unread Response does not delay a drain, and ends with draining if it is read later", async () => {
    await using world = await openWorld("Request to Response");
    const response = await unread(world, await world.record("NOTE"));
    await handlers.get(response)?.drain(0);
    expect(await response.text()).toContain('"code":"draining"');
  });
});

it("W27: a store that does not answer does not delay a drain, and its readers get the end when it answers", async () => {
  await using world = await openWorld("node:http");
  const runId = await world.record("NOTE");
  const release = world.store.hold("read");
  const opening = world.tail(runId);
  await eventually(() => expect(world.store.held()).toBe(1));
  await world.drain(0);
  release();
  const frames = await (await opening).rest();
  expect(frames.map(({ data }) => data["code"])).toEqual(["draining"]);
});
