import { createRunEvents } from "@tm/run-events-core";
import { expect, it } from "vitest";
import { appendPatiently } from "./append-patiently.ts";
import { connect, openProxy, openServer, openStore } from "./opened.ts";
import {
  appendOf,
  claimed,
  claimOf,
  createOf,
  endOf,
  listIds,
  oneTo,
  queryOf,
  readValues,
} from "@tm/run-events-test-servers/requests";

/** How many scripts the server has run. */
async function countScripts(redis: ReturnType<typeof connect>): Promise<number> {
  const stats = await redis.info("commandstats");
  const counts = stats.matchAll(/cmdstat_eval(?:sha)?:calls=(\d+),.*failed_calls=(\d+)/g);
  return [...counts].reduce((sum, [, calls, failed]) => sum + Number(calls) - Number(failed), 0);
}

function byNumber(a: unknown, b: unknown): number {
  return Number(a) - Number(b);
}

it("S7: an append whose connection breaks after it is sent again by the client, and lands once", async () => {
  const server = await openServer({ settings: ["--enable-debug-command", "yes"] });
  const proxy = await openProxy(server);
  const eye = connect(server);
  const { store } = await openStore(proxy);
  await store.createRun(createOf("a"));
  await store.append([appendOf("a", 0)]);
  const before = await countScripts(eye);
  const rounds = oneTo(10);
  for (const value of rounds) {
    const [connection] = proxy.connections();
    // The server is slow, so that it has the append, but has not answered, when the connection breaks.
    const busy = eye.call("DEBUG", "SLEEP", "0.05");
    const landed = store.append([appendOf("a", value)]);
    await expect.poll(() => connection?.hasSent(`\r\n${value}\r\n`), { interval: 1 }).toBe(true);
    await new Promise((resolve) => setImmediate(resolve));
    proxy.cut();
    await busy;
    expect(await landed).toMatchObject([{ outcome: "appended", firstSequence: value + 1 }]);
  }
  expect(await readValues(store, "a")).toEqual([0, ...rounds]);
  // Some of them did run twice.
  expect((await countScripts(eye)) - before).toBeGreaterThan(rounds.length + 1);
});

it("S21: a claim whose connection breaks after it is sent again by the client, and gets the same lease", async () => {
  const server = await openServer({ settings: ["--enable-debug-command", "yes"] });
  const proxy = await openProxy(server);
  const eye = connect(server);
  const { store } = await openStore(proxy);
  await store.createRun(createOf("a"));
  let { fence } = await claimed(store, claimOf("a"));
  await store.release({ runId: "a", ownerId: null, fence });
  const before = await countScripts(eye);
  for (const round of oneTo(10)) {
    const leaseMs = 60_000 + round;
    const [connection] = proxy.connections();
    const busy = eye.call("DEBUG", "SLEEP", "0.05");
    const outcome = store.claim({ runId: "a", ownerId: null, leaseMs });
    await expect.poll(() => connection?.hasSent(`\r\n${leaseMs}\r\n`), { interval: 1 }).toBe(true);
    await new Promise((resolve) => setImmediate(resolve));
    proxy.cut();
    await busy;
    // Each lease was granted once, even if its claim was sent several times.
    const run = await store.getRun("a");
    expect(await outcome).toEqual({ outcome: "granted", run });
    expect(run?.fence).toBeGreaterThan(fence);
    fence = run?.fence ?? 0;
    expect(await store.claim({ runId: "a", ownerId: null, leaseMs })).toMatchObject({
      outcome: "claimed",
    });
    await store.release({ runId: "a", ownerId: null, fence });
  }
  // Some of them did run twice.
  expect((await countScripts(eye)) - before).toBeGreaterThan(30);
});

it("S21: a claim whose answer is lost for good is in doubt, and its error is ambiguous", async () => {
  const server = await openServer();
  const { store } = await openStore(server, {}, { maxRetriesPerRequest: 0 });
  await store.createRun(createOf("a"));
  await server.kill();
  const lost = { code: "store_unavailable", retryable: true, ambiguous: true };
  await expect(claimed(store, claimOf("a"))).rejects.toMatchObject(lost);
  await expect(store.listExpired({ graceMs: 0, limit: 1 })).rejects.toMatchObject({
    ...lost,
    ambiguous: false,
  });
});

it("S7: an append over a client that does not send again is ambiguous, and core finds out whether it landed", async () => {
  const server = await openServer();
  const proxy = await openProxy(server);
  const { store } = await openStore(proxy, {}, { maxRetriesPerRequest: 0 });
  const { store: other } = await openStore(server);
  const runs = createRunEvents({ store });
  await runs.create({ runId: "a", ownerId: "ada" });
  let isWriting = true;
  const acknowledged: number[] = [];
  const writers = oneTo(8).map(async (writer) => {
    for (let round = 0; isWriting; round++) {
      const payload = round * 8 + writer;
      await runs.append("a", [{ eventType: "LOG_LINE", payload }]);
      acknowledged.push(payload);
    }
  });
  for (const count of oneTo(15)) {
    await expect.poll(() => acknowledged.length, { interval: 1 }).toBeGreaterThan(count * 20);
    proxy.cut();
  }
  isWriting = false;
  await Promise.all(writers);
  const values = await readValues(other, "a");
  expect(values.toSorted(byNumber)).toEqual(acknowledged.toSorted(byNumber));
  for (const writer of oneTo(8)) {
    const own = values.filter((value) => (Number(value) - writer) % 8 === 0);
    expect(own).toEqual(own.map((_, round) => round * 8 + writer));
  }
});

it("S7: an append that cannot reach Redis is ambiguous and may be tried again", async () => {
  const server = await openServer();
  const { store } = await openStore(server, {}, { maxRetriesPerRequest: 0 });
  await store.createRun(createOf("a"));
  await server.kill();
  await expect(store.append([appendOf("a")])).rejects.toMatchObject({
    code: "store_unavailable",
    message: "Redis cannot be reached: check that it runs, and the address of the client.",
    retryable: true,
    ambiguous: true,
    cause: expect.any(Error),
  });
  await expect(store.read([queryOf("a")])).rejects.toMatchObject({
    code: "store_unavailable",
    retryable: true,
    ambiguous: false,
  });
});

it("S20: a store whose client was closed stays unavailable", async () => {
  const server = await openServer();
  const { redis, store } = await openStore(server);
  await store.createRun(createOf("a"));
  await redis.quit();
  const closed = {
    code: "store_unavailable",
    message: "The Redis client is closed. Open a store on a new one.",
    retryable: false,
    ambiguous: false,
  };
  await expect.poll(() => redis.status).toBe("end");
  await expect(store.append([appendOf("a")])).rejects.toMatchObject(closed);
  await expect(store.subscribe("a", () => {}).ready).rejects.toMatchObject(closed);
});

it("S2: a server that has forgotten the scripts gets them again, and the order stays", async () => {
  const server = await openServer();
  const { store } = await openStore(server);
  const { redis, store: other } = await openStore(server);
  await redis.script("FLUSH");
  await store.createRun(createOf("a"));
  let value = 0;
  for (const _ of oneTo(50)) {
    const flushed = redis.script("FLUSH");
    const values = oneTo(4).map(() => ++value);
    await Promise.all([
      flushed,
      store.append(values.map((one) => appendOf("a", one))),
      // Loads the script again between the others' attempts.
      other.append([appendOf("nowhere")]),
      other.read([queryOf("a")]),
    ]);
  }
  await redis.script("FLUSH");
  expect(await readValues(store, "a")).toEqual(oneTo(value));
  await redis.script("FLUSH");
  expect(await listIds(store)).toEqual(["a"]);
  await store.append([endOf("a")]);
  await redis.script("FLUSH");
  expect(await store.deleteRun("a", null)).toBe("deleted");
});

it("S1, S6: with appendfsync always, acknowledged events survive a kill and a restart", async () => {
  const server = await openServer({ settings: ["--appendfsync", "always"] });
  const { store } = await openStore(server);
  expect(store.capabilities.durability).toBe("power");
  const runs = createRunEvents({ store });
  const runIds = oneTo(8).map((number) => `run-${number}`);
  await Promise.all(runIds.map((runId) => runs.create({ runId, ownerId: "ada" })));
  const acknowledged = new Map(runIds.map((runId) => [runId, 0]));
  let isWriting = true;
  const writers = runIds.map(async (runId) => {
    for (let value = 1; isWriting; value++) {
      await appendPatiently(runs, runId, value);
      acknowledged.set(runId, value);
    }
  });
  for (const count of oneTo(3)) {
    await expect
      .poll(() => Math.min(...acknowledged.values()), { timeout: 10_000 })
      .toBeGreaterThan(count * 10);
    await server.kill();
    await server.start();
  }
  isWriting = false;
  await Promise.all(writers);
  for (const runId of runIds) {
    expect(await readValues(store, runId)).toEqual(oneTo(acknowledged.get(runId) ?? 0));
  }
  expect((await listIds(store, "running")).toSorted()).toEqual(runIds);
});
