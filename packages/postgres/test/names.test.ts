import { expect, it, onTestFinished } from "vitest";
import { untilProven } from "./proven.ts";
import { recordPool, type RecordedPool, type SentStatement } from "./recorded-pool.ts";
import { createOf, queryOf } from "@tm/run-events-test-servers/requests";
import { newSchema, openPool, openStore, type RuledStore, useServer } from "./stores.ts";

const server = useServer();

/** Part of the statement that reads pages, and of no other. */
const PAGES = "max_bytes";
/** More rows than a page has, but far fewer than a scan of the runs would touch. */
const MOST_ROWS = 400;

/** A store whose connections are known to be sessions, with one run. */
async function openProven(schema: string): Promise<{ pool: RecordedPool; store: RuledStore }> {
  const pool = recordPool(openPool(server().url));
  const store = await openStore(pool, { schema });
  await store.createRun(createOf("run-1"));
  const subscription = store.subscribe("run-1", () => {});
  onTestFinished(() => subscription.stop());
  await untilProven(store, "run-1");
  return { pool, store };
}

function namedReads(pool: RecordedPool): readonly SentStatement[] {
  return pool.sent.filter(({ text, name }) => text.includes(PAGES) && name !== null);
}

it("S12: a page of a store that has grown is not read with the plan of a young one", async () => {
  const schema = newSchema();
  const { pool, store } = await openProven(schema);
  const readOften = async (until: number): Promise<void> => {
    while (namedReads(pool).length < until) await store.read([queryOf("run-1")]);
  };
  await readOften(64);
  await pool.query(
    `INSERT INTO ${schema}.runs
       (run_key, owner_id, run_id, exclusive, revision, run_status, last_sequence, updated_at_ms, fence, due_kind, due_ms, extra, metadata)
     SELECT 1000 + n, 'ada', 'grown-' || n, false, 0, 'running', 0, 0, 0, 'running', 0, '{}', '{}' FROM generate_series(1, 50000) n`,
  );
  await readOften(80);
  const { name, client } = namedReads(pool).at(-1) ?? {};
  const { rows } = (await client?.query(
    `EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE "${name}" ('{ada}', '{run-1}', '{0}', '{10}', '{10000}', '{false}')`,
  )) ?? { rows: [] };
  const counts = [
    ...JSON.stringify(rows).matchAll(/"(?:Actual Rows|Rows Removed by Filter)":(\d+)/g),
  ];
  expect(counts.length).toBeGreaterThan(0);
  expect(Math.max(...counts.map(([, count]) => Number(count)))).toBeLessThan(MOST_ROWS);
});

it("S12: a statement has few names, however often it is sent", async () => {
  const { pool, store } = await openProven(newSchema());
  const names = (): number => new Set(namedReads(pool).map(({ name }) => name)).size;
  while (namedReads(pool).length < 1_024) await store.read([queryOf("run-1")]);
  expect(names()).toBe(3);
});

it("S20: a column whose type has changed is still read", async () => {
  const schema = newSchema();
  const { pool, store } = await openProven(schema);
  while (namedReads(pool).length < 3) await store.read([queryOf("run-1")]);
  await pool.query(`ALTER TABLE ${schema}.runs ALTER COLUMN metadata TYPE varchar`);
  for (let time = 0; time < 5; time++) {
    const [result] = await store.read([queryOf("run-1")]);
    expect(result?.run.metadata).toBe("{}");
  }
});
