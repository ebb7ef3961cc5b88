import { runEventStoreConformance } from "@tm/run-events-conformance";
import { type PgBouncerServer, startPgBouncer } from "@tm/run-events-test-servers";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { createPostgresStore } from "../src/index.ts";
import { countNotifications } from "./notification-counter.ts";
import { createDoors, leadTo } from "./doors.ts";
import { PATIENT } from "./patient.ts";
import { untilProven } from "./proven.ts";
import { POLL, recordPool } from "./recorded-pool.ts";
import { appendOf, createOf, oneTo, readValues } from "@tm/run-events-test-servers/requests";
import { newSchema, openPool, openStore, useServer } from "./stores.ts";

const server = useServer();
let bouncer: PgBouncerServer | undefined;
beforeAll(async () => {
  bouncer = await startPgBouncer({ postgresUrl: server().url });
});
afterAll(() => bouncer?.close());

function pooledUrl(): string {
  if (bouncer === undefined) throw new TypeError("Expected to be called within a test.");
  return bouncer.url;
}

describe("the Postgres store behind a pooler of transactions", () => {
  let pool: pg.Pool;
  let readOnly: pg.Pool;
  beforeAll(() => {
    pool = new pg.Pool({ connectionString: pooledUrl() });
    const options = "-c default_transaction_read_only=on";
    readOnly = new pg.Pool({ connectionString: server().url, options });
  });
  afterAll(() => Promise.all([pool.end(), readOnly.end()]));
  const doors = createDoors(
    () => pool,
    leadTo(() => readOnly),
  );
  for (const { name, run, timeoutMs } of runEventStoreConformance({
    name: "PgBouncer",
    profile: "quick",
    ...doors,
  })) {
    it(name, run, timeoutMs);
  }
});

describe("notifications behind a pooler of transactions", () => {
  it("S13: subscriptions are notified by polls, which stay frequent, since no LISTEN can be proven", async () => {
    const schema = newSchema();
    const pool = recordPool(openPool(pooledUrl()));
    const store = await openStore(pool, { schema });
    const other = await openStore(openPool(pooledUrl()), { schema });
    await store.createRun(createOf("a"));
    const counter = countNotifications(store, "a");
    for (const value of oneTo(10)) {
      const before = counter.notifyCount();
      await other.append([appendOf("a", value)]);
      await expect.poll(counter.notifyCount, PATIENT).toBeGreaterThan(before);
      await store.append([appendOf("a", value)]);
    }
    // A pooler returns what a session notifies itself of, so that must prove nothing. By now it would have.
    const polls = pool.count(POLL);
    await expect.poll(() => pool.count(POLL), PATIENT).toBeGreaterThan(polls + 3);
    expect(pool.count("LISTEN")).toBeGreaterThan(0);
    const listening = pool.sent.filter(({ text }) => text.includes("LISTEN"));
    const clients = new Set(listening.map(({ client }) => client));
    const own = pool.sent.filter(
      ({ text, client }) => text.includes("notify") && clients.has(client),
    );
    expect(own.map(({ text }) => text)).toEqual([]);
    expect(pool.sent.filter(({ name }) => name !== null)).toEqual([]);
    expect(await readValues(other, "a")).toHaveLength(20);
  });

  it("S13: subscriptions are notified by notifications if the connection that listens bypasses the pooler", async () => {
    const schema = newSchema();
    const end = Promise.withResolvers<void>();
    const real = openPool(pooledUrl());
    onTestFinished(() => end.resolve());
    const pool = recordPool(real, ({ text }) => (text.includes(POLL) ? end.promise : undefined));
    const listenPool = recordPool(openPool(server().url, { max: 1 }));
    const store = await openStore(pool, { schema, listenPool });
    const other = await openStore(openPool(pooledUrl()), { schema });
    for (const runId of ["a", "own"]) await other.createRun(createOf(runId));
    await untilProven(store, "own");
    const counter = countNotifications(store, "a");
    for (const value of oneTo(5)) {
      await other.append([appendOf("a", value)]);
      await expect.poll(counter.notifyCount, PATIENT).toBe(value);
    }
    expect(pool.count("LISTEN")).toBe(0);
    expect(pool.sent.filter(({ name }) => name !== null)).toEqual([]);
  });

  it("S13: a pool whose one connection would listen is a TypeError, unless another pool listens", async () => {
    const one = openPool(server().url, { max: 1 });
    expect(() => createPostgresStore(one)).toThrow(TypeError);
    expect(() => createPostgresStore(one, { listenPool: one })).toThrow(TypeError);
    const store = await openStore(one, { listenPool: openPool(server().url, { max: 1 }) });
    await store.createRun(createOf("a"));
    expect(await store.append([appendOf("a")])).toMatchObject([{ outcome: "appended" }]);
  });
});
