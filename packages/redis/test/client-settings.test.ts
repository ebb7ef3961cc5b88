import { readFileSync } from "node:fs";
import type { RedisServer } from "@tm/run-events-test-servers";
import { Redis } from "ioredis";
import { expect, it } from "vitest";
import { openRedisStore } from "./ruled-store.ts";
import { connect, openServer, owned, runKeys } from "./opened.ts";
import {
  appendOf,
  createOf,
  endOf,
  listIds,
  readValues,
} from "@tm/run-events-test-servers/requests";

const README = readFileSync(new URL("../README.md", import.meta.url), "utf8");

const settings: Readonly<Record<string, (server: RedisServer) => Redis>> = {
  "numbers as strings": ({ url }) => new Redis(url, { stringNumbers: true }),
  RESP2: ({ url }) => new Redis(url, { protocol: 2 }),
  "RESP3's own shapes": ({ url }) => new Redis(url, { replyMapping: "resp3" }),
  "a key prefix": ({ url }) => new Redis(url, { keyPrefix: "app:" }),
  "another database": ({ url }) => new Redis(url, { db: 3 }),
  "automatic pipelines": ({ url }) => new Redis(url, { enableAutoPipelining: true }),
  "no queue while it is offline": ({ url }) => new Redis(url, { enableOfflineQueue: false }),
  "a late connection": ({ url }) => new Redis(url, { lazyConnect: true }),
};

it.each(Object.keys(settings))(
  "S11, S13: the store is the same over a client with %s",
  async (name) => {
    const server = await openServer({ settings: ["--appendfsync", "always"] });
    const redis = owned(settings[name]?.(server) ?? connect(server));
    if (!redis.options.lazyConnect) await expect.poll(() => redis.status).toBe("ready");
    const store = await openRedisStore(redis);
    expect(store.capabilities.durability).toBe("power");
    await store.createRun(createOf("a"));
    const spoken = connect(server);
    const notifiedRuns = Promise.withResolvers<void>();
    const subscription = store.subscribe("a", () => notifiedRuns.resolve());
    await subscription.ready;
    const channel = `${redis.options.keyPrefix ?? ""}${runKeys("a").head}`;
    await expect.poll(() => spoken.pubsub("NUMSUB", channel)).toEqual([channel, 1]);
    expect(
      await store.append([appendOf("a", 1), appendOf("a", 2, { idempotencyKey: "k" })]),
    ).toEqual([
      {
        outcome: "appended",
        firstSequence: 1,
        lastSequence: 1,
        runStatus: "running",
        phase: null,
      },
      {
        outcome: "appended",
        firstSequence: 2,
        lastSequence: 2,
        runStatus: "running",
        phase: null,
      },
    ]);
    await notifiedRuns.promise;
    expect(await store.append([appendOf("a", 2, { idempotencyKey: "k" })])).toMatchObject([
      { outcome: "replayed", firstSequence: 2 },
    ]);
    expect(await readValues(store, "a")).toEqual([1, 2]);
    const listed = await store.listRuns({
      ownerId: "ada",
      runStatus: "running",
      topic: null,
      before: null,
      limit: 9,
    });
    expect(listed).toEqual([await store.getRun("a")]);
    expect(listed[0]).toMatchObject({ lastSequence: 2, ordinal: expect.any(Number) });
    await store.append([endOf("a")]);
    expect(await store.deleteRun("a", "ada")).toBe("deleted");
    await store.close();
  },
);

it("S6, S13: few rights are enough for a user, and without CONFIG the durability is unknown", async () => {
  const server = await openServer();
  const rights =
    "~run-events:* &run-events:* +@read +@write +@scripting +@pubsub +@connection +info +time";
  const admin = connect(server);
  await admin.acl("SETUSER", "app", "on", ">secret", "resetchannels", ...rights.split(" "));
  const store = await openRedisStore(connect(server, { username: "app", password: "secret" }));
  expect(store.capabilities.durability).toBe("unknown");
  await store.probe();
  await store.createRun(createOf("a"));
  const subscription = store.subscribe("a", () => {});
  await subscription.ready;
  await expect
    .poll(() => admin.pubsub("NUMSUB", runKeys("a").head))
    .toEqual([runKeys("a").head, 1]);
  await store.append([appendOf("a", 1), endOf("a")]);
  expect(await readValues(store, "a")).toEqual([1, null]);
  expect(await listIds(store, "completed")).toEqual(["a"]);
  expect(await store.deleteRun("a", "ada")).toBe("deleted");
  await store.close();
  expect(README).toContain("`~run-events:*`, `&run-events:*`");
  for (const right of rights.split(" ").slice(2)) expect(README).toContain(`\`${right}\``);
});
