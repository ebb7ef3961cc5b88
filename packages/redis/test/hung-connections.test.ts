import { appendOf, createOf, oneTo } from "@tm/run-events-test-servers/requests";
import { Redis } from "ioredis";
import { expect, it, onTestFinished, vi } from "vitest";
import { MARKS } from "../src/scripts/list.ts";
import { openRedisStore } from "./ruled-store.ts";
import { connect, openProxy, openServer, openStore, owned, runKeys } from "./opened.ts";

const PREFIX = "hung";

/** The number of connections that are subscribed to a run's channel. */
async function listeners(redis: Redis): Promise<unknown> {
  return (await redis.pubsub("NUMSUB", runKeys("a", PREFIX).head))[1];
}

it("S13: while the caller's connection hangs, a silent connection for channels is found, and the next one notifies", async () => {
  const server = await openServer();
  const eye = connect(server);
  const main = await openProxy(server);
  const channels = await openProxy(server);
  const { store: other } = await openStore(server, { prefix: PREFIX });
  await other.createRun(createOf("a"));

  const redis = connect(main);
  let polls = 0;
  const counted = Object.assign(Object.create(redis) as Redis, {
    evalsha(sha1: string, count: number, values: string[]) {
      if (sha1 === MARKS.sha1) polls += 1;
      return redis.evalsha(sha1, count, values);
    },
    duplicate: (options: object) => owned(new Redis(channels.port, channels.host, options)),
  });
  const store = await openRedisStore(counted, { prefix: PREFIX });
  onTestFinished(() => store.close());
  const onNotification = vi.fn();
  await store.subscribe("a", onNotification).ready;
  await expect.poll(() => listeners(eye)).toBe(1);

  main.stall();
  // From the next poll on, the caller's connection owes an answer.
  const before = polls;
  await expect.poll(() => polls, { timeout: 5_000 }).toBeGreaterThan(before);
  // A message shows that the check before that poll was answered.
  const early = onNotification.mock.calls.length;
  await other.append([appendOf("a")]);
  await expect.poll(() => onNotification.mock.calls.length).toBeGreaterThan(early);
  channels.stall();
  const silent = channels.connections();
  await expect.poll(() => channels.connections(), { timeout: 20_000 }).not.toEqual(silent);
  channels.resume();
  // Only now does the proxy pass on the end of the silent connection.
  await expect.poll(() => listeners(eye), { timeout: 10_000 }).toBe(1);

  const seen = onNotification.mock.calls.length;
  await other.append([appendOf("a")]);
  await expect.poll(() => onNotification.mock.calls.length).toBeGreaterThan(seen);
});

it("S13: a poll that gets no answer does not hold up the polls of other runs", async () => {
  const server = await openServer();
  const { store: other } = await openStore(server, { prefix: PREFIX });
  const redis = connect(server);
  const channels = await openProxy(server);
  const held = Promise.withResolvers<never>();
  const asked: string[] = [];
  const partly = Object.assign(Object.create(redis) as Redis, {
    async evalsha(sha1: string, count: number, values: string[]) {
      if (sha1 !== MARKS.sha1) return redis.evalsha(sha1, count, values);
      const { head } = runKeys("a", PREFIX);
      asked.push(...values.slice(0, count));
      // As a node of a cluster that does not answer, while the others do.
      return values.includes(head) ? held.promise : redis.evalsha(sha1, count, values);
    },
    duplicate: (options: object) => owned(new Redis(channels.port, channels.host, options)),
  });
  // Without messages only a poll can notify.
  channels.dropNotifications("redis");
  const store = await openRedisStore(partly, { prefix: PREFIX });
  onTestFinished(() => store.close());
  void store.subscribe("a", () => {});
  // Its poll is under way before there is another to poll.
  await expect.poll(() => asked.length).toBeGreaterThan(0);
  await other.createRun(createOf("b"));
  const onNotification = vi.fn();
  await store.subscribe("b", onNotification).ready;
  for (const value of oneTo(3)) {
    const seen = onNotification.mock.calls.length;
    await other.append([appendOf("b", value)]);
    await expect
      .poll(() => onNotification.mock.calls.length, { timeout: 10_000 })
      .toBeGreaterThan(seen);
  }
  // The poll that is under way is not sent again.
  expect(asked.filter((key) => key === runKeys("a", PREFIX).head)).toHaveLength(1);
});
