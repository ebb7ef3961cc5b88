import pg from "pg";
import { describe, expect, it, onTestFinished } from "vitest";
import { printMigrations } from "../src/index.ts";
import { expectApart } from "@tm/run-events-test-servers/expectations";
import { recordPool } from "./recorded-pool.ts";
import { appendOf, createOf, oneTo, queryOf } from "@tm/run-events-test-servers/requests";
import {
  newSchema,
  openPool,
  openStore,
  useServer,
  createStore,
  type RuledStore,
} from "./stores.ts";

const server = useServer();

const MISSING = {
  code: "store_unavailable",
  retryable: false,
  ambiguous: false,
  message: expect.stringContaining("migrate()"),
};
const NEWER = {
  code: "store_unavailable",
  retryable: false,
  ambiguous: false,
  message: expect.stringContaining("newer"),
};

const CALLS: readonly ((store: RuledStore) => Promise<unknown>)[] = [
  (store) => store.migrate(),
  (store) => store.verify(),
  (store) => store.probe(),
  (store) => store.createRun(createOf("a")),
  (store) => store.append([appendOf("a")]),
  (store) => store.read([queryOf("a")]),
  (store) => store.listRuns({ ownerId: "ada", runStatus: null, before: null, limit: 1 }),
  (store) => store.deleteRun("a"),
];

describe("the schema", () => {
  it("S19: calls on missing tables fail with the call to make, until it was made", async () => {
    const store = createStore(openPool(server().url), { schema: newSchema() });
    await expect(store.verify()).rejects.toMatchObject(MISSING);
    await expect(store.append([appendOf("a")])).rejects.toMatchObject(MISSING);
    await expect(store.read([queryOf("a")])).rejects.toMatchObject(MISSING);
    await store.migrate();
    await store.verify();
    expect(await store.createRun(createOf("a"))).toMatchObject({ outcome: "created" });
    await store.close();
  });

  it("S19: calls fail with the call to make when tables are dropped under a store", async () => {
    const pool = openPool(server().url);
    const schema = newSchema();
    const store = await openStore(pool, { schema });
    await pool.query(`DROP SCHEMA ${schema} CASCADE`);
    await expect(store.append([appendOf("a")])).rejects.toMatchObject(MISSING);
    await expect(store.getRun("a")).rejects.toMatchObject(MISSING);
  });

  it("S19: an old program refuses a newer breaking schema at any first call", async () => {
    const pool = openPool(server().url);
    const schema = newSchema();
    const running = await openStore(pool, { schema });
    await pool.query(`INSERT INTO ${schema}.migrations VALUES (99, true)`);
    for (const call of CALLS) {
      const old = createStore(pool, { schema });
      await expect(call(old)).rejects.toMatchObject(NEWER);
    }
    // A program that was running refuses it once it checks.
    await expect(running.verify()).rejects.toMatchObject(NEWER);
    await expect(running.append([appendOf("a")])).rejects.toMatchObject(NEWER);
  });

  it("S19: an old program continues to work on a newer schema that breaks nothing", async () => {
    const pool = openPool(server().url);
    const schema = newSchema();
    await openStore(pool, { schema });
    await pool.query(`INSERT INTO ${schema}.migrations VALUES (99, false)`);
    const old = await openStore(pool, { schema });
    expect(await old.createRun(createOf("a"))).toMatchObject({ outcome: "created" });
  });

  it("S19: a second `migrate` writes nothing, and needs no right to write", async () => {
    const schema = newSchema();
    await openStore(openPool(server().url), { schema });
    const pool = recordPool(
      openPool(server().url, { options: "-c default_transaction_read_only=on" }),
    );
    await openStore(pool, { schema });
    expect(pool.count("DO $migrate$")).toBe(0);
  });

  it("S19: the printed migrations run as they are, twice, even within the caller's transaction", async () => {
    const pool = openPool(server().url);
    const schema = newSchema();
    const client = await pool.connect();
    await client.query("BEGIN");
    await client.query(printMigrations(schema));
    await client.query("COMMIT");
    client.release();
    await pool.query(printMigrations(schema));
    await createStore(pool, { schema }).verify();
  });

  it("S19: the printed migrations may run many times at once", async () => {
    const pool = openPool(server().url);
    const schema = newSchema();
    await Promise.all(oneTo(10).map(() => pool.query(printMigrations(schema))));
    await createStore(pool, { schema }).verify();
    expect(printMigrations()).toContain('"run_events".runs');
  });

  it("S19: a user who may create no schema migrates into an existing one of theirs", async () => {
    const admin = openPool(server().url);
    const url = new URL(await server().createDatabase());
    const owner = new pg.Pool({ connectionString: url.href });
    await admin.query("CREATE ROLE guest LOGIN PASSWORD 'guest'");
    await owner.query("CREATE SCHEMA theirs AUTHORIZATION guest");
    await owner.end();
    [url.username, url.password] = ["guest", "guest"];
    const pool = openPool(url.href);
    const refused = createStore(pool, { schema: "forbidden" });
    await expect(refused.migrate()).rejects.toMatchObject({
      code: "store_unavailable",
      message:
        "The database user lacks a right: grant it the rights on the schema, its tables and its sequences.",
      retryable: false,
    });
    const store = await openStore(pool, { schema: "theirs" });
    await store.createRun(createOf("a"));
    expect(await store.append([appendOf("a")])).toMatchObject([{ outcome: "appended" }]);
    onTestFinished(() => refused.close());
  });

  it("S19: stores in different schemas share a database and nothing else", async () => {
    const pool = openPool(server().url);
    const ours = await openStore(pool);
    const theirs = await openStore(pool);
    await expectApart(ours.inner, theirs.inner);
  });

  it.each(["", "Runs", "run-events", "1st", "pg_runs", "ü", 'x"; DROP TABLE y', "x".repeat(64)])(
    "a schema's name that would need quoting, or is Postgres's own, is a TypeError: %j",
    (schema) => {
      expect(() => createStore({ query: fail }, { schema })).toThrow(TypeError);
      expect(() => printMigrations(schema)).toThrow(TypeError);
    },
  );

  it.each(["user", "order", "_", "x".repeat(63)])(
    "S19: a schema may have any other name: %s",
    async (schema) => {
      const pool = openPool(await server().createDatabase());
      const store = await openStore(pool, { schema });
      const notifiedRuns = Promise.withResolvers<void>();
      store.subscribe("a", () => notifiedRuns.resolve());
      await store.createRun(createOf("a"));
      expect(await store.append([appendOf("a")])).toMatchObject([{ outcome: "appended" }]);
      await notifiedRuns.promise;
    },
  );
});

function fail(): never {
  throw new Error("Nothing is sent.");
}
