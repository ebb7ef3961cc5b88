import { PGlite } from "@electric-sql/pglite";
import pg from "pg";
import { describe, expect, it, onTestFinished } from "vitest";
import { createPostgresStore, type PostgresPool } from "../src/index.ts";
import { appendOf, createOf } from "@tm/run-events-test-servers/requests";
import { newSchema, openStore } from "./stores.ts";

const URL_TEXT = "postgres://ada:secret@localhost/runs";

async function endedPool(): Promise<pg.Pool> {
  const pool = new pg.Pool({ connectionString: URL_TEXT });
  await pool.end();
  return pool;
}

async function closedPGlite(): Promise<PGlite> {
  const db = new PGlite();
  await db.close();
  return db;
}

/** Like postgres.js: a function for templates, with more members. */
const sql = Object.assign(() => {}, { unsafe: () => {}, begin: () => {}, options: { max: 10 } });

const MISTAKES: readonly (readonly [string, () => unknown, RegExp])[] = [
  ["nothing", () => undefined, /Got undefined/],
  ["null", () => null, /Got null/],
  ["a URL's text", () => URL_TEXT, /Got a text/],
  ["a URL", () => new URL(URL_TEXT), /Got an object of the kind URL/],
  [
    "postgres.js",
    () => sql,
    /`fromPostgresJs\(sql\)`.*Got a function|`listenPool`.*Got a function/,
  ],
  ["a promise", () => Promise.resolve(), /Got a promise/],
  ["settings", () => ({ connectionString: URL_TEXT }), /Got an object/],
  ["a client", () => new pg.Client(URL_TEXT), /Got an object/],
  ["an ended pool", endedPool, /Got one that has been ended/],
  ["a closed PGlite database", closedPGlite, /Got (?:one that has been ended|an object)/],
];

describe("a value that is not a pool", () => {
  it.each(MISTAKES)(
    "%s is a TypeError that names what came, and no secret",
    async (_, make, expected) => {
      // One of the values is a promise.
      const made = make();
      const handle =
        made instanceof Promise && !/promise/.test(expected.source) ? await made : made;
      const pool = { query: () => Promise.resolve({ rows: [] }), connect() {} };
      for (const create of [
        () => createPostgresStore(handle as PostgresPool),
        ...(handle === undefined
          ? []
          : [() => createPostgresStore(pool, { listenPool: handle as PostgresPool })]),
      ]) {
        expect(create).toThrow(TypeError);
        expect(create).toThrow(expected);
        expect(create).not.toThrow(/secret/);
      }
    },
  );

  it("a `listenPool` without `connect` is a TypeError", async () => {
    const db = new PGlite();
    onTestFinished(() => db.close());
    const pool = { query: () => Promise.resolve({ rows: [] }), connect() {} };
    expect(() => createPostgresStore(pool, { listenPool: db })).toThrow(
      /^Expected `listenPool` to be a pg `Pool` that has not been ended\. Got an object/,
    );
  });

  it("S20: a PGlite database that is closed later makes the store unavailable for good", async () => {
    const db = new PGlite();
    const store = await openStore(db, { schema: newSchema() });
    await store.createRun(createOf("a"));
    await store.probe();
    await db.close();
    for (const call of [
      () => store.append([appendOf("a")]),
      () => store.getRun("a"),
      () => store.probe(),
    ]) {
      await expect(call()).rejects.toMatchObject({
        code: "store_unavailable",
        message: "The store's pool has been ended: end it after the store is closed.",
        retryable: false,
        ambiguous: false,
      });
    }
  });
});
