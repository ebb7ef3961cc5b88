import type pg from "pg";
import { describe, expect, it } from "vitest";
import { untilProven } from "./proven.ts";
import { recordPool } from "./recorded-pool.ts";
import { appendOf, createOf, oneTo, readValues } from "@tm/run-events-test-servers/requests";
import {
  newSchema,
  openPool,
  openStore,
  useServer,
  type RuledStore,
  createStore,
} from "./stores.ts";

const server = useServer();
const KEYED = appendOf("a", 1, { idempotencyKey: "k" });

interface Opened {
  readonly pool: pg.Pool;
  readonly schema: string;
  readonly store: RuledStore;
}

/** A store with the run `a`, which has one event under the key `k`. */
async function openKeyed(): Promise<Opened> {
  const pool = openPool(server().url);
  const schema = newSchema();
  const store = await openStore(pool, { schema });
  await store.createRun(createOf("a"));
  await store.append([KEYED]);
  return { pool, schema, store };
}

describe("an index that is rebuilt", () => {
  it("S5: a key is found by an index whose name a rebuild has changed", async () => {
    const { pool, schema, store } = await openKeyed();
    for (const name of ["events_by_key_ccold", "events_by_key_ccnew1", "index_4711"]) {
      const { rows } = await pool.query<{ readonly name: string }>(
        `SELECT indexrelid::regclass::text AS name FROM pg_index
         WHERE indrelid = '${schema}.events'::regclass AND indpred IS NOT NULL AND indisunique`,
      );
      await pool.query(`ALTER INDEX ${rows[0]?.name} RENAME TO ${name}`);
      expect(await store.append([KEYED])).toMatchObject([{ outcome: "replayed" }]);
    }
  });

  it("S1: an existing event at the next sequence is a damaged run, and not a key that has landed", async () => {
    const { pool, schema, store } = await openKeyed();
    await pool.query(`UPDATE ${schema}.runs SET last_sequence = 0`);
    for (const name of ["events_pkey", "events_pkey_ccold"]) {
      if (name !== "events_pkey")
        await pool.query(`ALTER INDEX ${schema}.events_pkey RENAME TO ${name}`);
      await expect(store.append([appendOf("a", 2)])).rejects.toMatchObject({
        code: "store_unavailable",
        message: expect.stringContaining("damaged"),
        retryable: false,
        ambiguous: false,
      });
    }
  });
});

const DROPPED = (schema: string): string => `DROP INDEX ${schema}.events_by_key`;
const BROKEN: readonly (readonly [string, (schema: string) => string])[] = [
  ["missing", DROPPED],
  [
    "not unique",
    (schema) => `${DROPPED(schema)}; CREATE INDEX events_by_key ON ${schema}.events
      (run_key, idempotency_key) WHERE idempotency_key IS NOT NULL`,
  ],
  [
    "not valid",
    (schema) =>
      `UPDATE pg_index SET indisvalid = false WHERE indexrelid = '${schema}.events_by_key'::regclass`,
  ],
  [
    "on some keys only",
    (schema) => `${DROPPED(schema)}; CREATE UNIQUE INDEX events_by_key ON ${schema}.events
      (run_key, idempotency_key) WHERE idempotency_key > 'm'`,
  ],
];
const REFUSED = { code: "store_unavailable", retryable: false, ambiguous: false };

describe("a unique index", () => {
  it.each(BROKEN)(
    "S5, S19, S31: a unique index of the keys that is %s stops all appends",
    async (_, breaking) => {
      const { pool, schema, store } = await openKeyed();
      await store.createRun(createOf("b"));
      await pool.query(breaking(schema));
      const keyed = [
        [KEYED],
        [KEYED, appendOf("b")],
        [appendOf("a", 2), appendOf("a", 3), appendOf("b")],
      ];
      for (const group of keyed) await expect(store.append(group)).rejects.toMatchObject(REFUSED);
      const said = { ...REFUSED, message: expect.stringContaining("unique index") };
      await expect(store.verify()).rejects.toMatchObject(said);
      await expect(store.migrate()).rejects.toMatchObject(said);
      await expect(store.probe()).rejects.toMatchObject(said);
      const later = createStore(pool, { schema });
      await expect(later.append([KEYED])).rejects.toMatchObject(said);
      await pool.query(`DROP INDEX IF EXISTS ${schema}.events_by_key`);
      await pool.query(`CREATE UNIQUE INDEX CONCURRENTLY again ON ${schema}.events
        (run_key, idempotency_key) WHERE idempotency_key IS NOT NULL`);
      await store.probe();
      expect(await store.append([KEYED])).toMatchObject([{ outcome: "replayed" }]);
      expect(await readValues(store, "a")).toEqual([1]);
    },
  );

  it("S5: a unique index that is dropped stops appends whose statements are prepared", async () => {
    const pool = recordPool(openPool(server().url));
    const schema = newSchema();
    const store = await openStore(pool, { schema });
    await store.createRun(createOf("a"));
    await untilProven(store, "a");
    // Often enough for a generic plan.
    for (const value of oneTo(20)) await store.append([appendOf("a", value)]);
    expect(pool.sent.some(({ name, text }) => name !== null && text.includes("INSERT"))).toBe(true);
    await openPool(server().url).query(DROPPED(schema));
    await expect(store.append([KEYED])).rejects.toMatchObject(REFUSED);
  });

  it.each(["events_pkey", "runs_pkey", "runs_owner_id_run_id_key"])(
    "S19, S31: %s has to exist, too",
    async (index) => {
      const { pool, schema, store } = await openKeyed();
      await pool.query(
        `UPDATE pg_index SET indisvalid = false WHERE indexrelid = '${schema}.${index}'::regclass`,
      );
      const said = { ...REFUSED, message: expect.stringContaining("unique index") };
      await expect(store.verify()).rejects.toMatchObject(said);
      await expect(store.probe()).rejects.toMatchObject(said);
    },
  );
});
