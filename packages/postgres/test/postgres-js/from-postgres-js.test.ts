import fc from "fast-check";
import postgres from "postgres";
import { expect, expectTypeOf, it } from "vitest";
import {
  fromPostgresJs,
  type PostgresJsSql,
  type PostgresJsQueryable,
} from "../../src/postgres-js/index.ts";
import { encodeList } from "../../src/postgres-js/ask.ts";
import { PATIENT } from "../patient.ts";
import { newSchema, openStore, useServer, runsOf } from "../stores.ts";
import { openSql } from "./opened-postgres-js.ts";

const server = useServer();
const EXPECTED =
  "Expected the function of postgres.js, what `postgres(url)` returns, without `transform`";
const OTHER = "got another value. Call `postgres(url)`, and pass that.";

it("what postgres.js returns has the types of the driver", () => {
  expectTypeOf<postgres.Sql>().toExtend<PostgresJsSql>();
  expectTypeOf<postgres.TransactionSql>().toExtend<PostgresJsQueryable>();
});

it.each<[string, () => unknown, string]>([
  ["nothing", () => undefined, OTHER],
  ["the module's function", () => postgres, OTHER],
  ["a pool", () => ({ query() {} }), OTHER],
  ["a transaction", () => Object.assign(() => {}, { unsafe() {} }), OTHER],
  [
    "one that renames columns",
    () => openSql(server().url, { transform: postgres.camel }),
    "got one with it. Create another one for the store.",
  ],
])("fromPostgresJs refuses %s with what it expected", (_, make, message) => {
  expect(() => fromPostgresJs(make() as PostgresJsSql)).toThrow(
    new TypeError(`${EXPECTED}, ${message}`),
  );
});

it.each<[string, NonNullable<Parameters<typeof openSql>[1]>]>([
  ["one connection", { max: 1 }],
  ["no types of arrays", { fetch_types: false }],
  ["numbers as BigInt", { types: { bigint: postgres.BigInt } }],
  [
    "other dates",
    { types: { date: { to: 1184, from: [1082, 1114, 1184], parse: String, serialize: String } } },
  ],
  ["no prepared statements", { prepare: false }],
])("with %s, a program runs, and its tail gets every event", async (_, options) => {
  const store = await openStore(fromPostgresJs(openSql(server().url, options)));
  const runs = runsOf(store);
  const { runId } = await runs.create();
  const seen: unknown[] = [];
  const reading = (async () => {
    for await (const { sequence, payload } of runs.tail(runId)) seen.push([sequence, payload]);
  })();
  await runs.append(runId, [
    { eventType: "TOKEN", payload: { text: '"\\{},NULL' } },
    { eventType: "TOKEN", payload: 1 },
  ]);
  await runs.append(runId, [{ eventType: "RUN_COMPLETED" }]);
  await reading;
  expect(seen).toEqual([
    [1, { text: '"\\{},NULL' }],
    [2, 1],
    [3, null],
  ]);
});

it("a list arrives at the server as it was", async () => {
  const sql = openSql(server().url);
  const text = fc
    .string({ unit: "binary" })
    .filter((one) => !one.includes("\0") && one.isWellFormed());
  const item = fc.oneof(text, fc.constantFrom(null, "NULL", "", "{}", '"', "\\", " a ", ","));
  await fc.assert(
    fc.asyncProperty(fc.array(item, { minLength: 1 }), async (items) => {
      const [row] = await sql.unsafe("SELECT array_to_json($1::text[]) AS items", [
        encodeList(items),
      ]);
      expect(row?.["items"]).toEqual(items);
    }),
    { numRuns: 200 },
  );
});

it("S31: a statement that takes too long fails, and is not cancelled: the cancel could hit the next one on its connection", async () => {
  const sql = openSql(server().url);
  const pool = fromPostgresJs(sql);
  const table = newSchema();
  await sql.unsafe(`CREATE TABLE ${table} (slept text)`);
  const text = `INSERT INTO ${table} SELECT pg_sleep(0.3)`;
  await expect(pool.query(text, [], { timeoutMs: 50 })).rejects.toThrow("Query read timeout");
  await expect.poll(() => sql.unsafe(`SELECT FROM ${table}`), PATIENT).toHaveLength(1);
});
