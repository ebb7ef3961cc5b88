import type { RedisServer, TcpProxy } from "@tm/run-events-test-servers";
import { Redis } from "ioredis";
import { expectEachNotifies } from "@tm/run-events-test-servers/expectations";
import { expect, it, onTestFinished, vi } from "vitest";
import { openRedisStore, type RedisStore } from "./ruled-store.ts";
import { connect, openProxy, openServer, openStore, owned, runKeys } from "./opened.ts";
import { appendOf, createOf, endOf, oneTo, readValues } from "@tm/run-events-test-servers/requests";

const PREFIX = "counters";

/** The number of connections that are subscribed to a run's channel. */
async function listeners(redis: Redis, runId = "a"): Promise<unknown> {
  return (await redis.pubsub("NUMSUB", runKeys(runId, PREFIX).head))[1];
}

/** The number of connections that the server has. */
async function countConnections(redis: Redis): Promise<number> {
  return ((await redis.client("LIST")) as string).trim().split("\n").length;
}

/** Resolves when a subscription to the run is notified after the work. */
async function notifyCount(
  store: RedisStore,
  runId: string,
  work: () => Promise<unknown>,
): Promise<void> {
  const notifiedRuns = Promise.withResolvers<void>();
  const subscription = store.subscribe(runId, () => notifiedRuns.resolve());
  await subscription.ready;
  await work();
  await notifiedRuns.promise;
  subscription.stop();
}

async function countPolls(redis: Redis): Promise<number> {
  return Number(/cmdstat_getrange:calls=(\d+)/.exec(await redis.info("commandstats"))?.[1] ?? 0);
}

/** Resolves after more polls of heads than a few seconds have at one a second. */
async function expectFrequentPolls(redis: Redis): Promise<void> {
  const before = await countPolls(redis);
  await expect.poll(() => countPolls(redis), { timeout: 5_000 }).toBeGreaterThan(before + 20);
}

/** Resolves after a while without a poll, in which frequent polls would have been many. */
async function expectRarePolls(redis: Redis): Promise<void> {
  let before = -1;
  await expect
    .poll(async () => before === (before = await countPolls(redis)), {
      interval: 300,
      timeout: 10_000,
    })
    .toBe(true);
}

/** A store whose commands reach the server directly, and only its connection for channels goes through the proxy. */
async function openThrough(
  proxy: TcpProxy,
  server: RedisServer,
): Promise<{ readonly redis: Redis; readonly store: RedisStore }> {
  const redis = connect(server);
  const through = Object.assign(Object.create(redis) as Redis, {
    duplicate: (options: object) => owned(new Redis(proxy.port, proxy.host, options)),
  });
  const store = await openRedisStore(through, { prefix: PREFIX });
  onTestFinished(() => store.close());
  return { redis, store };
}

/** A store, and the messages on the channel of the run `a`. */
async function openPublished() {
  const server = await openServer();
  const { store } = await openStore(server, { prefix: PREFIX });
  const subscriber = connect(server);
  const onMessage = vi.fn();
  subscriber.on("message", onMessage);
  await subscriber.subscribe(runKeys("a", PREFIX).head);
  return { store, subscriber, onMessage };
}

it("S13: each kind of commit publishes on the run's channel, and a refused append does not", async () => {
  const { store, subscriber, onMessage } = await openPublished();
  const commits = [
    () => store.createRun(createOf("a")),
    () => store.append([appendOf("a", 1)]),
    () => store.append([appendOf("a", 2)]),
    () => store.append([endOf("a")]),
    () => store.deleteRun("a"),
  ];
  for (const [index, commit] of commits.entries()) {
    await commit();
    await store.append([appendOf("a", 0, { ownerId: "bob" })]);
    await store.append([appendOf("a", 0, { expectedSequence: 9 })]);
    await expect.poll(() => onMessage.mock.calls.length).toBe(index + 1);
  }
  await subscriber.ping();
  expect(onMessage.mock.calls).toEqual(commits.map(() => [runKeys("a", PREFIX).head, ""]));
});

it("S13: one connection subscribes to all runs, opened for the first of them and closed with the store", async () => {
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
  await expect.poll(() => eye.pubsub("CHANNELS", "*")).toEqual([runKeys("run-1", PREFIX).head]);
  await store.close();
  await expect.poll(() => countConnections(eye)).toBe(before);
});

it("S13: a subscription is only notified later if every message is lost", async () => {
  const server = await openServer();
  const proxy = await openProxy(server);
  const { store } = await openStore(proxy, { prefix: PREFIX });
  const { store: other } = await openStore(server, { prefix: PREFIX });
  proxy.dropNotifications("redis");
  await expectEachNotifies(store.inner, other.inner);
});

it("S13: the store's connection for channels reconnects when it alone is killed, and notifies of what it missed", async () => {
  const server = await openServer();
  const proxy = await openProxy(server);
  const { store } = await openStore(proxy, { prefix: PREFIX });
  const { store: other } = await openStore(server, { prefix: PREFIX });
  const eye = connect(server);
  await other.createRun(createOf("a"));
  const onNotification = vi.fn();
  await store.subscribe("a", onNotification).ready;
  // A subscription is ready once the run was polled, which may be before its channel is subscribed.
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

it("S13: the store polls often while its connection for channels is lost", async () => {
  const server = await openServer();
  const proxy = await openProxy(server);
  const { redis, store } = await openThrough(proxy, server);
  await store.subscribe("a", () => {}).ready;
  await expectRarePolls(redis);
  await proxy.close();
  await expectFrequentPolls(redis);
});

it("S13: a connection that has become silent is closed and opened again", async () => {
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

it("S13: `ready` rejects while Redis is unreachable, and that of the next subscription resolves when it is back", async () => {
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

it("S13: a user without rights on channels is notified by polls", async () => {
  const server = await openServer();
  const admin = connect(server);
  await admin.acl("SETUSER", "mute", "on", ">secret", "~counters:*", "resetchannels", "+@all");
  const user = { username: "mute", password: "secret" };
  const { store } = await openStore(server, { prefix: PREFIX }, user);
  await store.createRun(createOf("a"));
  await notifyCount(store, "a", () => store.append([appendOf("a")]));
  await notifyCount(store, "a", () => store.append([appendOf("a")]));
  expect(await readValues(store, "a")).toEqual([null, null]);
  // The polls end with the last subscription, and begin again with the next.
  await expectRarePolls(admin);
  await store.subscribe("a", () => {}).ready;
  await expectFrequentPolls(admin);
});
