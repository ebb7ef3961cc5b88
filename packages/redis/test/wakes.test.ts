import { createRunEvents } from "@tm/run-events-core";
import type { RunEventStore } from "@tm/run-events-core/store";
import type { RedisServer, TcpProxy } from "@tm/run-events-test-servers";
import { Redis } from "ioredis";
import { expectEachWakes } from "@tm/run-events-test-servers/expectations";
import { expect, it, onTestFinished, vi } from "vitest";
import { openRedisStore } from "../src/index.ts";
import { connect, openProxy, openServer, openStore, owned } from "./opened.ts";
import {
  appendOf,
  claimed,
  claimOf,
  createOf,
  endOf,
  oneTo,
  readValues,
} from "@tm/run-events-test-servers/requests";

const PREFIX = "bells";

/** How many connections hear a run's channel. */
async function listeners(redis: Redis, runId = "a"): Promise<unknown> {
  return (await redis.pubsub("NUMSUB", `${PREFIX}:{run:${runId}}`))[1];
}

/** How many connections the server has. */
async function countConnections(redis: Redis): Promise<number> {
  return ((await redis.client("LIST")) as string).trim().split("\n").length;
}

/** Resolves when the bell of the run rings after the work. */
async function rings(
  store: RunEventStore,
  runId: string,
  work: () => Promise<unknown>,
): Promise<void> {
  const rung = Promise.withResolvers<void>();
  const watch = store.watch(runId, rung.resolve);
  await watch.ready;
  await work();
  await rung.promise;
  watch.stop();
}

async function countLooks(redis: Redis): Promise<number> {
  return Number(/cmdstat_hmget:calls=(\d+)/.exec(await redis.info("commandstats"))?.[1]);
}

/** Resolves when heads have been looked at so often as is not done in a few seconds, if it is done once a second. */
async function looksOften(redis: Redis): Promise<void> {
  const before = await countLooks(redis);
  await expect.poll(() => countLooks(redis), { timeout: 5_000 }).toBeGreaterThan(before + 20);
}

/** Resolves when no head has been looked at for a while in which many would be, if that were done often. */
async function looksSeldom(redis: Redis): Promise<void> {
  let before = -1;
  await expect
    .poll(async () => before === (before = await countLooks(redis)), {
      interval: 300,
      timeout: 10_000,
    })
    .toBe(true);
}

/** A store whose commands go past the proxy, and only its own connection through it. */
async function openThrough(
  proxy: TcpProxy,
  server: RedisServer,
): Promise<{ readonly redis: Redis; readonly store: RunEventStore }> {
  const redis = connect(server);
  const through = Object.assign(Object.create(redis) as Redis, {
    duplicate: (options: object) => owned(new Redis(proxy.port, proxy.host, options)),
  });
  const store = await openRedisStore(through, { prefix: PREFIX });
  onTestFinished(() => store.close());
  return { redis, store };
}

/** A store, and what is published on the channel of the run `a`. */
async function openHeard() {
  const server = await openServer();
  const { store } = await openStore(server, { prefix: PREFIX });
  const ear = connect(server);
  const spoken = vi.fn();
  ear.on("message", spoken);
  await ear.subscribe(`${PREFIX}:{run:a}`);
  return { store, ear, spoken };
}

it("S13: each kind of commit speaks on the run's channel, and a refused append does not", async () => {
  const { store, ear, spoken } = await openHeard();
  const commits = [
    () => store.createRun(createOf("a")),
    () => store.append([appendOf("a", 1)]),
    () => store.append([appendOf("a", 2)]),
    () => store.append([appendOf("a", 3), endOf("a")]),
    () => store.deleteRun("a", null),
  ];
  for (const [index, commit] of commits.entries()) {
    await commit();
    await store.append([appendOf("a", 0, { ownerId: "bob" })]);
    await store.append([appendOf("a", 0, { expectedSequence: 9 })]);
    await expect.poll(() => spoken.mock.calls.length).toBe(index + 1);
  }
  await ear.ping();
  expect(spoken.mock.calls).toEqual(commits.map(() => [`${PREFIX}:{run:a}`, ""]));
});

it("S21, S24: a lease does not speak, and a purge does", async () => {
  const { store, ear, spoken } = await openHeard();
  await store.createRun(createOf("a"));
  const { fence } = await claimed(store, claimOf("a"));
  const renewal = { runId: "a", ownerId: null, fence, leaseMs: 1 };
  expect(await store.renew(renewal)).toMatchObject({ outcome: "granted" });
  expect(await store.release(renewal)).toMatchObject({ outcome: "granted" });
  await store.append([endOf("a")]);
  await ear.ping();
  expect(spoken).toHaveBeenCalledTimes(2);
  await expect.poll(() => store.purge({ finishedForMs: 0, limit: 1 })).toEqual(["a"]);
  await expect.poll(() => spoken.mock.calls.length).toBe(3);
});

it("S14: one connection hears all runs, made for the first of them and ended with the store", async () => {
  const server = await openServer();
  const { store } = await openStore(server, { prefix: PREFIX });
  const eye = connect(server);
  await eye.ping();
  const before = await countConnections(eye);
  const watches = oneTo(300).map((number) => store.watch(`run-${number}`, () => {}));
  await Promise.all(watches.map(({ ready }) => ready));
  expect(await countConnections(eye)).toBe(before + 1);
  await expect.poll(() => listeners(eye, "run-300")).toBe(1);
  for (const watch of watches.slice(1)) watch.stop();
  await expect.poll(() => eye.pubsub("CHANNELS", "*")).toEqual([`${PREFIX}:{run:run-1}`]);
  await store.close();
  await expect.poll(() => countConnections(eye)).toBe(before);
});

it("S14: a run that is left and watched again while commands are on their way is heard", async () => {
  const server = await openServer();
  const { store } = await openStore(server, { prefix: PREFIX });
  const eye = connect(server);
  await store.createRun(createOf("a"));
  const before = await countLooks(eye);
  for (const round of oneTo(50)) {
    const watch = store.watch("a", () => {});
    if (round % 2 === 0) await watch.ready;
    watch.stop();
    if (round % 3 === 0) await eye.ping();
  }
  // Nobody had to wait for a look.
  expect(await countLooks(eye)).toBeLessThan(before + 5);
  await rings(store, "a", () => store.append([appendOf("a")]));
  await expect.poll(() => listeners(eye)).toBe(0);
});

it("S15: with every message lost, the bell only rings later", async () => {
  const server = await openServer();
  const proxy = await openProxy(server);
  const { store } = await openStore(proxy, { prefix: PREFIX });
  const { store: other } = await openStore(server, { prefix: PREFIX });
  proxy.dropNotifications("redis");
  await expectEachWakes(store, other);
});

it("S13: the store's own connection comes back when it is killed alone, and rings for what it missed", async () => {
  const server = await openServer();
  const proxy = await openProxy(server);
  const { store } = await openStore(proxy, { prefix: PREFIX });
  const { store: other } = await openStore(server, { prefix: PREFIX });
  const eye = connect(server);
  await other.createRun(createOf("a"));
  const wake = vi.fn();
  await store.watch("a", wake).ready;
  // A watch is ready once the run was looked at, which may be before its channel is heard.
  await expect.poll(() => listeners(eye)).toBe(1);
  const [own] = proxy.connections().filter((one) => one.hasSent("subscribe"));
  expect(own).toBeDefined();
  for (const value of oneTo(5)) {
    const before = wake.mock.calls.length;
    for (const one of proxy.connections()) if (one.hasSent("subscribe")) one.cut();
    await other.append([appendOf("a", value)]);
    await expect.poll(() => wake.mock.calls.length).toBeGreaterThan(before);
    await expect.poll(() => listeners(eye)).toBe(1);
  }
  expect(await readValues(store, "a")).toEqual(oneTo(5));
});

it("S13: a connection that comes back rings every run, also for nothing", async () => {
  const server = await openServer();
  const proxy = await openProxy(server);
  const { store } = await openStore(proxy, { prefix: PREFIX });
  const bells = oneTo(20).map((number) => {
    const wake = vi.fn();
    return { wake, watch: store.watch(`run-${number}`, wake) };
  });
  await Promise.all(bells.map(({ watch }) => watch.ready));
  // Each rings once when it is first looked at, and then no more.
  for (const { wake } of bells) await vi.waitFor(() => expect(wake).toHaveBeenCalled(), 5_000);
  const before = bells.map(({ wake }) => wake.mock.calls.length);
  for (const one of proxy.connections()) if (one.hasSent("subscribe")) one.cut();
  for (const [index, { wake }] of bells.entries()) {
    await vi.waitFor(
      () => expect(wake.mock.calls.length).toBeGreaterThan(before[index] ?? 0),
      5_000,
    );
  }
});

it("S13: while its connection is away, the store looks often", async () => {
  const server = await openServer();
  const proxy = await openProxy(server);
  const { redis, store } = await openThrough(proxy, server);
  await store.watch("a", () => {}).ready;
  await looksSeldom(redis);
  await proxy.close();
  await looksOften(redis);
});

it("S13: a connection that has gone silent is broken off and made anew", async () => {
  const server = await openServer();
  const proxy = await openProxy(server);
  const { redis, store } = await openThrough(proxy, server);
  await store.createRun(createOf("a"));
  const wake = vi.fn();
  await store.watch("a", wake).ready;
  const before = proxy.connections();
  proxy.stall();
  await store.append([appendOf("a")]);
  await vi.waitFor(() => expect(wake).toHaveBeenCalled(), 5_000);
  await vi.waitFor(() => expect(proxy.connections()).not.toEqual(before), 15_000);
  proxy.resume();
  await expect.poll(() => listeners(redis), { timeout: 5_000 }).toBe(1);
});

it("S13: `ready` rejects when Redis is away for good, and the next watch is answered when it is back", async () => {
  const server = await openServer();
  const { store } = await openStore(server, { prefix: PREFIX }, { maxRetriesPerRequest: 1 });
  await server.kill();
  const watch = store.watch("a", () => {});
  await expect(watch.ready).rejects.toMatchObject({ code: "store_unavailable", retryable: true });
  watch.stop();
  await server.start();
  await expect
    .poll(() => store.watch("a", () => {}).ready.then(() => "ready"), { timeout: 10_000 })
    .toBe("ready");
});

it("S13: a user who may use no channel hears by looking", async () => {
  const server = await openServer();
  const admin = connect(server);
  await admin.acl("SETUSER", "mute", "on", ">secret", "~bells:*", "resetchannels", "+@all");
  const user = { username: "mute", password: "secret" };
  const { store } = await openStore(server, { prefix: PREFIX }, user);
  await store.createRun(createOf("a"));
  await rings(store, "a", () => store.append([appendOf("a")]));
  await rings(store, "a", () => store.append([appendOf("a")]));
  expect(await readValues(store, "a")).toEqual([null, null]);
  // The looks end with the last watch, and begin again with the next.
  await looksSeldom(admin);
  await store.watch("a", () => {}).ready;
  await looksOften(admin);
});

it("S13: a tail follows a run that another process writes", async () => {
  const server = await openServer();
  const { store } = await openStore(server, { prefix: PREFIX });
  const { store: other } = await openStore(server, { prefix: PREFIX });
  const reader = createRunEvents({ store });
  const writer = createRunEvents({ store: other });
  const { runId } = await writer.create({ ownerId: "ada" });
  const seen: unknown[] = [];
  const tail = (async () => {
    for await (const event of reader.tail(runId)) seen.push(event.payload);
  })();
  for (const value of oneTo(50)) {
    await writer.append(runId, [{ eventType: "TOKEN", payload: value }]);
  }
  await writer.append(runId, [{ eventType: "RUN_COMPLETED" }]);
  await tail;
  expect(seen).toEqual([...oneTo(50), null]);
});
