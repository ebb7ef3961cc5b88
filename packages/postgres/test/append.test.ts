import pg from "pg";
import { describe, expect, it, onTestFinished } from "vitest";
import type { PostgresPool } from "../src/index.ts";
import { PATIENT } from "./patient.ts";
import { untilProven } from "./proven.ts";
import { APPEND, recordPool } from "./recorded-pool.ts";
import { expectAsReference } from "./reference.ts";
import {
  appendOf,
  createOf,
  endOf,
  oneTo,
  queryOf,
  readValues,
} from "@tm/run-events-test-servers/requests";
import { newSchema, openPool, openStore, useServer } from "./stores.ts";
import { expectStubborn } from "./stubborn-run.ts";

const server = useServer();

const RECEIPTS = '"keySequence"';
/** Part of the statement that reads pages, and of no other. */
const PAGES = "max_bytes";

describe("a group of appends", () => {
  it("S5, S21, S22: any group of appends is answered as the reference store does, with claims in between", async () => {
    await expectAsReference(openPool(server().url), 100);
  });

  it("S2, S12: a group of appends over many runs is one statement", async () => {
    const pool = recordPool(openPool(server().url));
    const store = await openStore(pool);
    const runIds = oneTo(64).map((number) => `run-${number}`);
    await Promise.all(runIds.map((runId) => store.createRun(createOf(runId))));
    const before = pool.count(APPEND);
    const outcomes = await store.append([...runIds, ...runIds].map((runId) => appendOf(runId)));
    expect(outcomes.map((outcome) => "firstSequence" in outcome && outcome.firstSequence)).toEqual([
      ...runIds.map(() => 1),
      ...runIds.map(() => 2),
    ]);
    expect(pool.count(APPEND) - before).toBe(1);
    expect(pool.count(RECEIPTS)).toBe(0);
  });

  it("S5: a group with a refused append takes a second statement, and no third", async () => {
    const pool = recordPool(openPool(server().url));
    const store = await openStore(pool);
    await store.createRun(createOf("a"));
    await store.createRun(createOf("done"));
    await store.append([endOf("done")]);
    const before = pool.count(APPEND);
    const outcomes = await store.append([
      appendOf("nowhere", 1),
      appendOf("a", 2),
      appendOf("done", 3),
      appendOf("a", 4),
    ]);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual([
      "not_found",
      "appended",
      "finished",
      "appended",
    ]);
    expect(pool.count(APPEND) - before).toBe(1);
    expect(pool.count(RECEIPTS)).toBe(1);
    expect(await readValues(store, "a")).toEqual([2, 4]);
  });

  it("S5: a key that has landed before is replayed, and does not stop others in its group", async () => {
    const pool = recordPool(openPool(server().url));
    const store = await openStore(pool);
    for (const runId of ["a", "b"]) await store.createRun(createOf(runId));
    const keyed = appendOf("a", 1, { idempotencyKey: "k" });
    await store.append([keyed]);
    const outcomes = await store.append([
      appendOf("a", 2),
      keyed,
      appendOf("b", 3),
      appendOf("a", 4),
      appendOf("a", 5, { idempotencyKey: "k" }),
    ]);
    expect(outcomes).toMatchObject([
      { outcome: "appended", firstSequence: 2 },
      { outcome: "replayed", firstSequence: 1, lastSequence: 1 },
      { outcome: "appended", firstSequence: 1 },
      { outcome: "appended", firstSequence: 3 },
      { outcome: "idempotency_key_reused" },
    ]);
    expect(await readValues(store, "a")).toEqual([1, 2, 4]);
    expect(await readValues(store, "b")).toEqual([3]);
  });

  it("S2: a run's requests keep their order, even if the run is created again while they are judged", async () => {
    const real = openPool(server().url);
    const schema = newSchema();
    const other = await openStore(real, { schema });
    let remade = 0;
    const pool = recordPool(real, async ({ text }) => {
      if (!text.includes(PAGES) || remade++ > 0) return;
      await other.append([endOf("a")]);
      await other.deleteRun("a", null);
      await other.createRun(createOf("a"));
    });
    const store = await openStore(pool, { schema });
    await store.createRun(createOf("a"));
    const keyed = appendOf("a", 2, { idempotencyKey: "k" });
    await store.append([keyed]);
    expect(await store.append([appendOf("a", 1), keyed])).toMatchObject([
      { outcome: "appended", firstSequence: 1 },
      { outcome: "appended", firstSequence: 2 },
    ]);
    expect(remade).toBe(1);
    expect(await readValues(store, "a")).toEqual([1, 2]);
  });

  it("S5: a refused append does not close its connection, and leaves nothing on it", async () => {
    const real = openPool(server().url, { max: 2 });
    const pool = recordPool(real);
    const store = await openStore(pool);
    await store.createRun(createOf("a"));
    const keyed = appendOf("a", 1, { idempotencyKey: "k" });
    await store.append([keyed]);
    await untilProven(store, pool, "a");
    let connected = 0;
    real.on("connect", () => (connected += 1));
    for (const _ of oneTo(20)) {
      expect(await store.append([keyed])).toMatchObject([{ outcome: "replayed" }]);
    }
    expect(connected).toBe(0);
    const client = await real.connect();
    expect(client.listenerCount("error")).toBe(0);
    client.release();
  });

  it("S7: a failure after some appends have landed is ambiguous, and nothing is doubled", async () => {
    const admin = openPool(server().url);
    let appends = 0;
    const pool = recordPool(openPool(server().url), async ({ text, client }) => {
      if (!text.includes(APPEND) || client === null || ++appends !== 2) return;
      const { rows } = await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
      await admin.query("SELECT pg_terminate_backend($1, 10000)", [rows[0]?.pid]);
    });
    const schema = newSchema();
    const store = await openStore(pool, { schema });
    for (const runId of ["a", "b"]) await store.createRun(createOf(runId));
    const group = [
      appendOf("a", 1, { idempotencyKey: "one" }),
      appendOf("a", 2, { idempotencyKey: "two", expectedSequence: 1 }),
      appendOf("b", 3, { idempotencyKey: "three" }),
    ];
    appends = 0;
    await expect(store.append(group)).rejects.toMatchObject({
      code: "store_unavailable",
      ambiguous: true,
      retryable: true,
      cause: expect.any(Error),
    });
    expect(await readValues(store, "a")).toEqual([1]);
    expect(await store.append(group)).toMatchObject([
      { outcome: "replayed", firstSequence: 1 },
      { outcome: "appended", firstSequence: 2 },
      { outcome: "replayed", firstSequence: 1 },
    ]);
  });

  it("S7: a group without a connection for its second statement is ambiguous, too", async () => {
    let appends = 0;
    const real = openPool(server().url);
    const recorded = recordPool(real);
    const pool: PostgresPool = {
      ...recorded,
      connect(callback) {
        if (recorded.count(APPEND) > appends) callback(new Error("no connection"), undefined);
        else recorded.connect(callback);
      },
    };
    const store = await openStore(pool);
    await store.createRun(createOf("a"));
    appends = recorded.count(APPEND);
    const failed = store.append([appendOf("a", 1), appendOf("a", 2, { expectedSequence: 1 })]);
    await expect(failed).rejects.toMatchObject({ code: "store_unavailable", ambiguous: true });
    appends = Number.POSITIVE_INFINITY;
    expect(await readValues(store, "a")).toEqual([1]);
  });

  it("S7, S13: a run that neither takes nor refuses an append fails the group, and what has landed notifies", async () => {
    const pool = openPool(server().url);
    await expectStubborn(pool, newSchema());
  });

  it("W2: time does not run backwards within a run, even if the server's clock does", async () => {
    const schema = newSchema();
    const pool = openPool(server().url);
    const store = await openStore(pool, { schema });
    for (const runId of ["a", "b"]) await store.createRun(createOf(runId));
    const future = Date.now() + 3_600_000;
    await pool.query(`UPDATE ${schema}.runs SET updated_at_ms = $1`, [future]);
    await store.append([appendOf("a"), appendOf("b")]);
    await store.append([endOf("a")]);
    const pages = await store.read([queryOf("a"), queryOf("b")]);
    for (const event of pages.flatMap((page) => page?.events ?? [])) {
      expect(event.createdAtMs).toBe(future);
    }
    expect(pages).toMatchObject([
      { run: { updatedAtMs: future, finishedAtMs: future } },
      { run: { updatedAtMs: future, finishedAtMs: null } },
    ]);
  });

  it("S2: a statement that fails half-way changes nothing", async () => {
    const schema = newSchema();
    const pool = openPool(server().url);
    const store = await openStore(pool, { schema });
    for (const runId of ["a", "b"]) await store.createRun(createOf(runId));
    await pool.query(`ALTER TABLE ${schema}.events ADD CONSTRAINT small CHECK (payload <> '2')`);
    await expect(store.append([appendOf("a", 1), appendOf("b", 2)])).rejects.toMatchObject({
      code: "store_unavailable",
      message: "The database failed: the `cause` has its error.",
      ambiguous: false,
      cause: expect.objectContaining({ code: "23514" }),
    });
    expect(await store.append([appendOf("a", 3)])).toMatchObject([{ firstSequence: 1 }]);
    expect(await readValues(store, "b")).toEqual([]);
  });
});

describe("prepared statements", () => {
  function appendNames(pool: ReturnType<typeof recordPool>): readonly (string | null)[] {
    return pool.sent.filter(({ text }) => text.includes(APPEND)).map(({ name }) => name);
  }

  it("S12: prepared statements are used once LISTEN is proven, and not before", async () => {
    const mayListen = Promise.withResolvers<void>();
    const pool = recordPool(openPool(server().url), ({ text }) =>
      text.startsWith("LISTEN") ? mayListen.promise : undefined,
    );
    const store = await openStore(pool);
    await store.createRun(createOf("a"));
    for (const value of oneTo(10)) await store.append([appendOf("a", value)]);
    expect(new Set(appendNames(pool))).toEqual(new Set([null]));
    mayListen.resolve();
    await expect
      .poll(async () => {
        await store.append([appendOf("a")]);
        return appendNames(pool).at(-1);
      }, PATIENT)
      .not.toBeNull();
    await store.append([appendOf("a"), appendOf("a")]);
    await store.append([appendOf("a")]);
    // One name a statement, not one a call.
    expect(new Set(appendNames(pool).slice(-2)).size).toBe(1);
  });

  it("S12: prepared statements are never used where another pool listens", async () => {
    const pool = recordPool(openPool(server().url));
    const listenPool = recordPool(openPool(server().url, { max: 1 }));
    const store = await openStore(pool, { listenPool });
    await store.createRun(createOf("a"));
    await untilProven(store, listenPool, "a");
    for (const value of oneTo(5)) await store.append([appendOf("a", value)]);
    expect(new Set(appendNames(pool))).toEqual(new Set([null]));
  });

  it("S7: a session that has forgotten prepared statements only ends their use", async () => {
    const real = new pg.Pool({ connectionString: server().url, max: 2 });
    onTestFinished(() => real.end());
    const pool = recordPool(real);
    const store = await openStore(pool);
    await store.createRun(createOf("a"));
    let values = 0;
    const append = (): Promise<unknown> => store.append([appendOf("a", ++values)]);
    await expect
      .poll(async () => {
        await append();
        return appendNames(pool).at(-1);
      }, PATIENT)
      .not.toBeNull();
    // The other connection listens, so only one can forget them.
    await real.query("DEALLOCATE ALL");
    expect(await append()).toMatchObject([{ outcome: "appended", firstSequence: values }]);
    expect(appendNames(pool).slice(-2)).toEqual([expect.any(String), null]);
    await append();
    expect(appendNames(pool).at(-1)).toBeNull();
    expect(await readValues(store, "a")).toEqual(oneTo(values));
  });
});
