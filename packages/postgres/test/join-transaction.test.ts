import { lineOf, makeRefusedLines } from "@tm/run-events-test-servers/joined-appends";
import pg from "pg";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { PATIENT } from "./patient.ts";
import { untilProven } from "./proven.ts";
import { POLL, recordPool } from "./recorded-pool.ts";
import { createOf, oneTo, readValues } from "@tm/run-events-test-servers/requests";
import {
  newSchema,
  openPool,
  openStore,
  useServer,
  type RuledStore,
  createStore,
} from "./stores.ts";

const server = useServer();

interface Business {
  readonly pool: pg.Pool;
  readonly schema: string;
  readonly store: RuledStore;
  /** A connection with an open transaction. */
  begin(): Promise<pg.PoolClient>;
  rows(): Promise<unknown>;
}

/** A store with the run `a`, and a table of the caller's next to it. */
async function openBusiness(): Promise<Business> {
  const pool = openPool(server().url);
  const schema = newSchema();
  const store = await openStore(pool, { schema });
  await pool.query(`CREATE TABLE ${schema}.business (id int)`);
  await store.createRun(createOf("a"));
  return {
    pool,
    schema,
    store,
    async begin() {
      const client = await pool.connect();
      onTestFinished(() => client.release(true));
      await client.query("BEGIN");
      return client;
    },
    async rows() {
      const { rows } = await pool.query(`SELECT id FROM ${schema}.business ORDER BY id`);
      return rows.map((row: { readonly id: number }) => row.id);
    },
  };
}

describe("an append in the caller's transaction", () => {
  it("S2: a joined append is committed with the caller's rows", async () => {
    const { store, schema, begin, rows } = await openBusiness();
    const client = await begin();
    await client.query(`INSERT INTO ${schema}.business VALUES (1)`);
    expect(await store.appendInTransaction({ client, ...lineOf("x") })).toEqual({
      firstSequence: 1,
      lastSequence: 1,
      runStatus: "running",
      currentPhase: null,
      replayed: false,
    });
    const events = [{ eventType: "PHASE_STARTED", payload: { phase: "draft" } }];
    expect(await store.appendInTransaction({ client, runId: "a", events })).toMatchObject({
      firstSequence: 2,
      currentPhase: "draft",
    });
    expect(await readValues(store, "a")).toEqual([]);
    await client.query("COMMIT");
    expect(await rows()).toEqual([1]);
    expect(await readValues(store, "a")).toEqual(["x", { phase: "draft" }]);
    expect(await store.getRun("a")).toMatchObject({ lastSequence: 2, phase: '"draft"' });
  });

  it("S5: a refusal is thrown and leaves the transaction usable", async () => {
    const { store, schema, begin, rows } = await openBusiness();
    const { fence, refusals } = await makeRefusedLines(store.inner);
    const client = await begin();
    await client.query(`INSERT INTO ${schema}.business VALUES (1)`);
    for (const [line, error] of refusals) {
      await expect(store.appendInTransaction({ client, ...line })).rejects.toMatchObject(error);
    }
    const replay = lineOf(1, { idempotencyKey: "k" });
    expect(await store.appendInTransaction({ client, ...replay })).toMatchObject({
      firstSequence: 1,
      replayed: true,
    });
    await store.appendInTransaction({ client, ...lineOf(2, { expectedSequence: 1 }) });
    await store.appendInTransaction({ client, ...lineOf(3, { runId: "claimed", fence }) });
    await client.query("COMMIT");
    expect(await rows()).toEqual([1]);
    expect(await readValues(store, "a")).toEqual([1, 2]);
    expect(await readValues(store, "claimed")).toEqual([3]);
  });

  it("S19: a joined append needs no connection but the caller's, even as a store's first call", async () => {
    const { schema, store: other } = await openBusiness();
    const pool = openPool(server().url, { max: 2 });
    const store = createStore(pool, { schema });
    onTestFinished(() => store.close());
    const clients = [await pool.connect(), await pool.connect()];
    for (const client of clients) onTestFinished(() => client.release());
    for (const client of clients) {
      await client.query("BEGIN");
      await store.appendInTransaction({ client, ...lineOf(1) });
      await client.query("COMMIT");
    }
    expect(await readValues(other, "a")).toEqual([1, 1]);
  });

  it("S19: a joined append refuses missing tables as any call does", async () => {
    const { pool, begin } = await openBusiness();
    const store = createStore(pool, { schema: newSchema() });
    await expect(
      store.appendInTransaction({ client: await begin(), ...lineOf(1) }),
    ).rejects.toMatchObject({ message: expect.stringContaining("migrate()") });
    await store.close();
  });

  it("a joined append outside a transaction is a TypeError, and nothing is appended", async () => {
    const { pool, store, begin } = await openBusiness();
    const client = await begin();
    await client.query("ROLLBACK");
    for (const connection of [pool, client]) {
      await expect(store.appendInTransaction({ client: connection, ...lineOf(1) })).rejects.toThrow(
        TypeError,
      );
    }
    expect(await readValues(store, "a")).toEqual([]);
    await store.close();
    await expect(store.appendInTransaction({ client, ...lineOf(1) })).rejects.toMatchObject({
      code: "store_unavailable",
    });
  });
});

describe("the notifications of an append in the caller's transaction", () => {
  it("S13: a joined append notifies after the commit, never before, here and in every other store", async () => {
    const { schema, begin } = await openBusiness();
    // The other store's polls are held back, so that only received notifications notify there.
    const end = Promise.withResolvers<void>();
    const real = openPool(server().url);
    onTestFinished(() => end.resolve());
    const blind = recordPool(real, ({ text }) => (text.includes(POLL) ? end.promise : undefined));
    const pools = [recordPool(openPool(server().url)), blind] as const;
    const stores = [
      await openStore(pools[0], { schema }),
      await openStore(pools[1], { schema }),
    ] as const;
    await stores[0].createRun(createOf("other"));
    await untilProven(stores[0], "other");
    await untilProven(stores[1], "other");
    const notifications = stores.map((store) => {
      const onNotification = vi.fn();
      store.subscribe("a", onNotification);
      return onNotification;
    });
    const counts = (): readonly number[] =>
      notifications.map((onNotification) => onNotification.mock.calls.length);
    // A poll finds the run, whose head was not known before.
    await expect.poll(counts, PATIENT).toEqual([1, 0]);
    for (const round of oneTo(3)) {
      const client = await begin();
      await stores[0].appendInTransaction({ client, ...lineOf(round) });
      const polls = pools[0].count(POLL);
      await expect.poll(() => pools[0].count(POLL), PATIENT).toBeGreaterThan(polls + 3);
      expect(counts()).toEqual([round, round - 1]);
      await client.query("COMMIT");
      await expect.poll(counts, PATIENT).toEqual([round + 1, round]);
    }
    expect(await readValues(stores[1], "a")).toEqual(oneTo(3));
  });

  it("S13: joined appends notify while more of them follow without a pause", async () => {
    const { pool, store } = await openBusiness();
    const onNotification = vi.fn();
    store.subscribe("a", onNotification);
    await expect.poll(() => onNotification.mock.calls.length, PATIENT).toBeGreaterThan(1);
    const before = onNotification.mock.calls.length;
    const client = await pool.connect();
    onTestFinished(() => client.release());
    // Each of them could delay the poll for the others.
    for (let value = 0; onNotification.mock.calls.length < before + 3; value++) {
      await client.query("BEGIN");
      await store.appendInTransaction({ client, ...lineOf(value) });
      await client.query("COMMIT");
    }
  });

  it("S13: a joined append sends no notification on the caller's connection", async () => {
    const { schema, pool } = await openBusiness();
    const recorded = recordPool(pool);
    const store = await openStore(recorded, { schema });
    const own = await pool.connect();
    const client = recorded.record(own);
    onTestFinished(() => client.release(true));
    const before = recorded.sent.length;
    await client.query("BEGIN");
    const line = lineOf(1, { idempotencyKey: "k" });
    for (const _ of oneTo(2)) await store.appendInTransaction({ client, ...line });
    await client.query("COMMIT");
    const texts = recorded.sent
      .slice(before)
      .filter((statement) => statement.client === own)
      .map(({ text }) => text);
    expect(texts.join()).not.toContain("notify");
    // Three statements for the first append, since it has a key, and two for its replay.
    expect(texts).toHaveLength(7);
  });
});
