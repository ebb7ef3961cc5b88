import { describe, expect, it } from "vitest";
import { claimed, claimOf, createOf } from "@tm/run-events-test-servers/requests";
import { plainOf } from "./plain-of.ts";
import { begin, newSchema, openPool, openStore, type RuledStore, useServer } from "./stores.ts";

const server = useServer();

const TOKEN = [{ eventType: "TOKEN" }];

/** Starts the run `a`. @returns the fence of its worker, or `null` */
async function start(store: RuledStore, isClaimed: boolean): Promise<number | null> {
  await store.createRun(createOf("a"));
  const fence = isClaimed ? (await claimed(store, claimOf("a"))).fence : null;
  const appender = fence === null ? ({ by: "anybody" } as const) : { by: "worker" as const, fence };
  const events = [{ eventType: "TOKEN", payload: "1", phase: null }];
  const rest = { idempotencyKey: null, expectedSequence: null } as const;
  await store.append([{ runId: "a", events, appender, ...rest }]);
  return fence;
}

describe.each([false, true])("an append to a running run: that a worker has: %s", (isClaimed) => {
  it("S12, S23: it changes no column that an index reads, and neither does a renewal", async () => {
    const pool = openPool(server().url);
    const schema = newSchema();
    const store = await openStore(pool, { schema });
    const fence = await start(store, isClaimed);
    /** A change of one of these columns adds an entry to every index. */
    const { rows: indexed } = await pool.query<{ readonly name: string }>(
      `SELECT DISTINCT a.attname AS name FROM pg_index i
       JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid AND d.refobjid = i.indrelid AND d.refobjsubid > 0
       JOIN pg_attribute a ON a.attrelid = i.indrelid AND (a.attnum = d.refobjsubid OR a.attnum = ANY (i.indkey))
       WHERE i.indrelid = '${schema}.runs'::regclass`,
    );
    const readRow = async (): Promise<Readonly<Record<string, unknown>>> =>
      (await pool.query(`SELECT * FROM ${schema}.runs`)).rows[0] as Record<string, unknown>;
    const before = await readRow();
    const renewal = fence === null ? [] : [plainOf("a", 2, { fence, leaseMs: 7_200_000 })];
    const plains = [plainOf("a", 1, { fence }), ...renewal];
    for (const plain of plains) expect(await store.inner.append([plain])).not.toContain(null);
    const after = await readRow();
    const changed = Object.keys(after).filter((name) => after[name] !== before[name]);
    expect(changed).toContain("last_sequence");
    const names = indexed.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["due_ms", "due_kind", "run_status"]));
    expect(changed.filter((name) => names.includes(name))).toEqual([]);
  });

  it("S12: an append in a transaction rewrites the row inside its page, with any phase", async () => {
    const pool = openPool(server().url);
    const schema = newSchema();
    const store = await openStore(pool, { schema });
    const fence = await start(store, isClaimed);
    const started = [{ eventType: "PHASE_STARTED", payload: { phase: "draft" } }];
    const client = await begin(pool, "SELECT");
    /** How many rows the session has updated, and how many of them inside their pages. */
    const count = async (): Promise<readonly number[]> => {
      const { rows } = await client.query<{ readonly counts: readonly number[] }>(
        `SELECT ARRAY[pg_stat_get_xact_tuples_updated(r), pg_stat_get_xact_tuples_hot_updated(r)]::int[] AS counts
         FROM (SELECT '${schema}.runs'::regclass) t (r)`,
      );
      return rows[0]?.counts ?? [];
    };
    const before = await count();
    for (const events of [TOKEN, started]) {
      await store.appendInTransaction({
        client,
        runId: "a",
        events,
        ...(fence === null ? {} : { fence }),
      });
    }
    expect(await count()).toEqual(before.map((number) => number + 2));
    await client.query("COMMIT");
  });
});
