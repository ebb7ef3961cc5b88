import { createRunEvents } from "@tm/run-events-core";
import type { RunEventStore } from "@tm/run-events-core/store";
import type { RedisServer, TcpProxy } from "@tm/run-events-test-servers";
import { Redis } from "ioredis";
import { expectEachNotifies } from "@tm/run-events-test-servers/expectations";
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

const PREFIX = "counters";

/** How many connections hear a run's channel. */
async function listeners(redis: Redis, runId = "a"): Promise<unknown> {
  return (await redis.pubsub("NUMSUB", `${PREFIX}:{run:${runId}}`))[1];
}

/** How many connections the server has. */
async function countConnections(redis: Redis): Promise<number> {
  return ((await redis.client("LIST")) as string).trim().split("\n").length;
}

/** Resolves when the notification of the run notifies after the work. */
async function notifyCount(
  store: RunEventStore,
  runId: string,
  work: () => Promise<unknown>,
): Promise<void> {
  const notifiedRuns = Promise.withResolvers<void>();
  const subscription = store.subscribe(runId, notifiedRuns.resolve);
  await subscription.ready;
  await work();
  await notifiedRuns.promise;
  subscription.stop();
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
  const subscriptions = oneTo(300).map((number) => store.subscribe(`run-${number}`, () => {}));
  await Promise.all(subscriptions.map(({ ready }) => ready));
  expect(await countConnections(eye)).toBe(before + 1);
  await expect.poll(() => listeners(eye, "run-300")).toBe(1);
  for (const subscription of subscriptions.slice(1)) subscription.stop();
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
    const subscription = store.subscribe("a", () => {});
    if (round % 2 === 0) await subscription.ready;
    subscription.stop();
    if (round % 3 === 0) await eye.ping();
  }
  // Nobody had to wait for a look.
  expect(await countLooks(eye)).toBeLessThan(before + 5);
  await notifyCount(store, "a", () => store.append([appendOf("a")]));
  await expect.poll(() => listeners(eye)).toBe(0);
});

it("S15: with every message lost, the notification only notifies later", async () => {
  const server = await openServer();
  const proxy = await openProxy(server);
  const { store } = await openStore(proxy, { prefix: PREFIX });
  const { store: other } = await openStore(server, { prefix: PREFIX });
  proxy.dropNotifications("redis");
  await expectEachNotifies(store, other);
});

it("S13: the store's own connection comes back when it is killed alone, and notifies for what it missed", async () => {
  const server = await openServer();
  const proxy = await openProxy(server);
  const { store } = await openStore(proxy, { prefix: PREFIX });
  const { store: other } = await openStore(server, { prefix: PREFIX });
  const eye = connect(server);
  await other.createRun(createOf("a"));
  const onNotification = vi.fn();
  await store.subscribe("a", onNotification).ready;
  // A watch is ready once the run was looked at, which may be before its channel is heard.
  await expect.poll(() => listeners(eye)).toBe(1);
  const [own] = proxy.connections().filter((one) => one.hasSent("subscribe"));
  expect(own).toBeDefined();
  for (const value of oneTo(5)) {
    const before = onNotification.mock.calls.length;
    for (const one of proxy.connections()) if (one.hasSent("subscribe")) one.cut();
    await other.append([appendOf("a", value)]);
    await expect.poll(() => onNotification.mock.calls.length).toBeGreaterThan(before);
    await expect.poll(() => listeners(eye)).toBe(1);
  }
  expect(await readValues(store, "a")).toEqual(oneTo(5));
});

it("S13: a connection that comes back notifies every run, also for nothing", async () => {
  const server = await openServer();
  const proxy = await openProxy(server);
  const { store } = await openStore(proxy, { prefix: PREFIX });
  const counters = oneTo(20).map((number) => {
    const onNotification = vi.fn();
    return { onNotification, subscription: store.subscribe(`run-${number}`, onNotification) };
  });
  await Promise.all(counters.map(({ subscription }) => subscription.ready));
  // Each notifies once when it is first looked at, and then no more.
  for (const { onNotification } of counters)
    await vi.waitFor(() => expect(onNotification).toHaveBeenCalled(), 5_000);
  const before = counters.map(({ onNotification }) => onNotification.mock.calls.length);
  for (const one of proxy.connections()) if (one.hasSent("subscribe")) one.cut();
  for (const [index, { onNotification }] of counters.entries()) {
    await vi.waitFor(
      () => expect(onNotification.mock.calls.length).toBeGreaterThan(before[index] ?? 0),
      5_000,
    );
  }
});

it("S13: while its connection is away, the store looks often", async () => {
  const server = await openServer();
  const proxy = await openProxy(server);
  const { redis, store } = await openThrough(proxy, server);
  await store.subscribe("a", () => {}).ready;
  await looksSeldom(redis);
  await proxy.close();
  await looksOften(redis);
});

it("S13: a connection that has gone silent is broken off and made anew", async () => {
  const server = await openServer();
  const proxy = await openProxy(server);
  const { redis, store } = await openThrough(proxy, server);
  await store.createRun(createOf("a"));
  const onNotification = vi.fn();
  await store.subscribe("a", onNotification).ready;
  const before = proxy.connections();
  proxy.stall();
  await store.append([appendOf("a")]);
  await vi.waitFor(() => expect(onNotification).toHaveBeenCalled(), 5_000);
  await vi.waitFor(() => expect(proxy.connections()).not.toEqual(before), 15_000);
  proxy.resume();
  await expect.poll(() => listeners(redis), { timeout: 5_000 }).toBe(1);
});

it("S13: `ready` rejects when Redis is away for good, and the next watch is answered when it is back", async () => {
  const server = await openServer();
  const { store } = await openStore(server, { prefix: PREFIX }, { maxRetriesPerRequest: 1 });
  await server.kill();
  const subscription = store.subscribe("a", () => {});
  await expect(subscription.ready).rejects.toMatchObject({
    code: "store_unavailable",
    retryable: true,
  });
  subscription.stop();
  await server.start();
  await expect
    .poll(() => store.subscribe("a", () => {}).ready.then(() => "ready"), { timeout: 10_000 })
    .toBe("ready");
});

it("S13: a user who may use no channel hears by looking", async () => {
  const server = await openServer();
  const admin = connect(server);
  await admin.acl("SETUSER", "mute", "on", ">secret", "~counters:*", "resetchannels", "+@all");
  const user = { username: "mute", password: "secret" };
  const { store } = await openStore(server, { prefix: PREFIX }, user);
  await store.createRun(createOf("a"));
  await notifyCount(store, "a", () => store.append([appendOf("a")]));
  await notifyCount(store, "a", () => store.append([appendOf("a")]));
  expect(await readValues(store, "a")).toEqual([null, null]);
  // The looks end with the last watch, and begin again with the next.
  await looksSeldom(admin);
  await store.subscribe("a", () => {}).ready;
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
