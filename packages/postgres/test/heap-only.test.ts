import type pg from "pg";
import { describe, expect, it } from "vitest";
import { appendOf, claimed, claimOf, createOf } from "@tm/run-events-test-servers/requests";
import type { PostgresStore } from "../src/index.ts";
import { newSchema, openPool, openStore, useServer } from "./stores.ts";

const server = useServer();

/** The columns of the table of runs that an index reads: a change of one adds an entry to every index. */
async function indexedColumns(pool: pg.Pool, schema: string): Promise<ReadonlySet<string>> {
  const { rows } = await pool.query<{ name: string }>(
    `SELECT DISTINCT a.attname AS name
     FROM pg_index i
     JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid AND d.refobjid = i.indrelid AND d.refobjsubid > 0
     JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = d.refobjsubid
     WHERE i.indrelid = '${schema}.runs'::regclass
     UNION
     SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
     WHERE i.indrelid = '${schema}.runs'::regclass`,
  );
  return new Set(rows.map(({ name }) => name));
}

async function readRow(pool: pg.Pool, schema: string): Promise<Readonly<Record<string, unknown>>> {
  const { rows } = await pool.query<{ row: Record<string, unknown> }>(
    `SELECT to_jsonb(r) AS row FROM ${schema}.runs r`,
  );
  return rows[0]?.row ?? {};
}

describe("an append to a running run", () => {
  it.each([
    ["that no worker has", async () => ({ by: "anybody" }) as const],
    [
      "that a worker has",
      async (store: PostgresStore) =>
        ({ by: "worker", fence: (await claimed(store, claimOf("a"))).fence }) as const,
    ],
  ])("changes no column that an index reads: of a run %s", async (_, prepare) => {
    const pool = openPool(server().url);
    const schema = newSchema();
    const store = await openStore(pool, { schema });
    await store.createRun(createOf("a"));
    const appender = await prepare(store);
    await store.append([appendOf("a", 1, { appender })]);
    const before = await readRow(pool, schema);
    await store.append([appendOf("a", 2, { appender })]);
    const after = await readRow(pool, schema);
    const changed = Object.keys(after).filter((name) => after[name] !== before[name]);
    expect(changed).toContain("last_sequence");
    const indexed = await indexedColumns(pool, schema);
    expect(indexed).toContain("idle_from_ms");
    expect(changed.filter((name) => indexed.has(name))).toEqual([]);
  });
});
