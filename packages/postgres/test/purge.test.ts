import { describe, expect, it, onTestFinished, vi } from "vitest";
import { createStatements } from "../src/statements.ts";
import { PATIENT } from "./patient.ts";
import { recordPool } from "./recorded-pool.ts";
import {
  appendOf,
  claimOf,
  createOf,
  endOf,
  oneTo,
  readValues,
} from "@tm/run-events-test-servers/requests";
import {
  countWaiting,
  isolated,
  ISOLATIONS,
  newSchema,
  openPool,
  openStore,
  useServer,
} from "./stores.ts";

const server = useServer();

const ALL = { finishedForMs: 0, limit: 1_000 };
const DAY_MS = 86_400_000;

describe("a purge", () => {
  it("S24: a purge removes runs that finished before the time, the oldest first, with all rows", async () => {
    const pool = openPool(server().url);
    const schema = newSchema();
    const store = await openStore(pool, { schema });
    for (const runId of ["live", "claimed", "c", "b", "a"]) await store.createRun(createOf(runId));
    await store.claim(claimOf("claimed", 1));
    await store.append([appendOf("live", 1, { idempotencyKey: "k" })]);
    for (const [at, runId] of ["a", "b", "c"].entries()) {
      await store.append([appendOf(runId, 1, { idempotencyKey: "k" }), endOf(runId)]);
      await pool.query(
        `UPDATE ${schema}.runs SET finished_at_ms = finished_at_ms - $1 WHERE run_id = $2`,
        [(5 - at) * DAY_MS, runId],
      );
    }
    expect(await store.purge({ finishedForMs: 6 * DAY_MS, limit: 9 })).toEqual([]);
    expect(await store.purge({ finishedForMs: 4 * DAY_MS, limit: 1 })).toEqual(["a"]);
    expect(await store.purge({ finishedForMs: 4 * DAY_MS, limit: 9 })).toEqual(["b"]);
    expect(await store.purge(ALL)).toEqual(["c"]);
    expect(await store.purge(ALL)).toEqual([]);
    const { rows } = await pool.query(
      `SELECT (SELECT count(*)::int FROM ${schema}.runs) AS runs, (SELECT count(*)::int FROM ${schema}.events) AS events`,
    );
    expect(rows).toEqual([{ runs: 2, events: 1 }]);
    expect(await readValues(store, "live")).toEqual([1]);
  });

  it("S24: a purge uses the server's clock, not this process's", async () => {
    const store = await openStore(openPool(server().url));
    await store.createRun(createOf("a"));
    await store.append([endOf("a")]);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 3 * DAY_MS });
    onTestFinished(() => void vi.useRealTimers());
    expect(await store.purge({ finishedForMs: DAY_MS, limit: 9 })).toEqual([]);
    expect(await store.purge({ finishedForMs: 0, limit: 9 })).toEqual(["a"]);
  });

  it("S24: a purge ends with the run that reaches 10,000 events, and removes at least one run", async () => {
    const pool = openPool(server().url);
    const schema = newSchema();
    const store = await openStore(pool, { schema });
    const sizes = [15_000, 4_999, 4_999, 4_999, 4_999, 4_999];
    await pool.query(
      `INSERT INTO ${schema}.runs (run_id, owner_id, run_status, last_sequence, created_at_ms, updated_at_ms, finished_at_ms, metadata)
       SELECT 'run-' || n, 'ada', 'completed', size, 0, 0, n, 'null' FROM unnest($1::int[]) WITH ORDINALITY AS s (size, n)`,
      [sizes],
    );
    await pool.query(
      `INSERT INTO ${schema}.events (run_key, sequence, event_type, payload, created_at_ms)
       SELECT run_key, n, 'TOKEN', '1', 0 FROM ${schema}.runs, generate_series(1, last_sequence) n`,
    );
    const calls: (readonly string[])[] = [];
    do calls.push(await store.purge(ALL));
    while (calls.at(-1)?.length !== 0);
    expect(calls).toEqual([["run-1"], ["run-2", "run-3", "run-4"], ["run-5", "run-6"], []]);
    const { rows } = await pool.query(`SELECT FROM ${schema}.events`);
    expect(rows).toEqual([]);
  });

  it("S24: a purge makes no append wait, and of another purge only the last call", async () => {
    const real = openPool(server().url);
    const pool = recordPool(real);
    const schema = newSchema();
    const store = await openStore(pool, { schema });
    for (const runId of ["live", "a", "b"]) await store.createRun(createOf(runId));
    const keyed = appendOf("a", 1, { idempotencyKey: "k" });
    await store.append([keyed, endOf("a")]);
    await store.append([endOf("b")]);
    const client = await real.connect();
    onTestFinished(() => client.release(true));
    await client.query("BEGIN");
    const { purge } = createStatements(schema);
    expect((await client.query(purge, [0, 1])).rows).toEqual([{ runId: "a", ownerId: "ada" }]);
    // Others see the runs until the purge commits.
    expect(
      await store.append([appendOf("live", 1), keyed, appendOf("a", 2), appendOf("live", 2)]),
    ).toMatchObject([
      { outcome: "appended" },
      { outcome: "replayed" },
      { outcome: "finished" },
      { outcome: "appended" },
    ]);
    expect(await store.purge(ALL)).toEqual(["b"]);
    const last = store.purge(ALL);
    await expect.poll(() => countWaiting(real), PATIENT).toBe(1);
    await store.createRun(createOf("c"));
    expect(await store.append([endOf("c")])).toMatchObject([{ outcome: "appended" }]);
    await client.query("ROLLBACK");
    expect(await last).toEqual(["a"]);
    expect(await store.purge(ALL)).toEqual(["c"]);
    expect(await store.purge(ALL)).toEqual([]);
  });

  it.each(ISOLATIONS)("S24: one of many purges at once removes each run: %s", async (level) => {
    const schema = newSchema();
    const stores = await Promise.all(
      oneTo(4).map(() => openStore(openPool(server().url, isolated(level)), { schema })),
    );
    const runIds = oneTo(60).map((number) => `run-${number}`);
    for (const runId of runIds) await stores[0]?.createRun(createOf(runId));
    await stores[0]?.append(runIds.map((runId) => endOf(runId)));
    const purged = await Promise.all(
      stores.map(async (store) => {
        const all: string[] = [];
        for (;;) {
          const gone = await store.purge({ ...ALL, limit: 7 });
          if (gone.length === 0) return all;
          all.push(...gone);
        }
      }),
    );
    expect(purged.flat().toSorted()).toEqual(runIds.toSorted());
  });

  it("S24: a purge notifies the subscriptions of removed runs, here and in other stores", async () => {
    const schema = newSchema();
    const stores = [
      await openStore(openPool(server().url), { schema }),
      await openStore(openPool(server().url), { schema }),
    ] as const;
    await stores[0].createRun(createOf("a"));
    await stores[0].append([endOf("a")]);
    const seen = stores.map((store) => {
      const gone = vi.fn();
      store.subscribe("a", () => void store.getRun("a").then((run) => run === null && gone()));
      return gone;
    });
    expect(await stores[0].purge(ALL)).toEqual(["a"]);
    await expect.poll(() => seen.every((gone) => gone.mock.calls.length > 0), PATIENT).toBe(true);
  });
});
