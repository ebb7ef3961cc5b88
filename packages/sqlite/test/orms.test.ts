import { lineOf } from "@tm/run-events-test-servers/joined-appends";
import { appendOf, createOf, readValues } from "@tm/run-events-test-servers/requests";
import Database from "better-sqlite3";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { sql } from "drizzle-orm";
import { Kysely, SqliteDialect } from "kysely";
import { describe, expect, it, onTestFinished } from "vitest";
import { createRuledStore, type RuledStore } from "./ruled-store.ts";
import { temporaryFile } from "./stores.ts";

/** Runs work with a row of the caller's in a transaction of an ORM. */
type Transact = <T>(id: number, work: () => T) => Promise<T>;

/** How an ORM is opened on a handle with the table `business`. */
const ORMS: readonly (readonly [name: string, open: (handle: Database.Database) => Transact])[] = [
  [
    "Drizzle",
    (handle) => {
      const db = drizzle({ client: handle });
      return async (id, work) =>
        db.transaction((tx) => {
          tx.run(sql`INSERT INTO business VALUES (${id})`);
          return work();
        });
    },
  ],
  [
    "Kysely",
    (handle) => {
      const dialect = new SqliteDialect({ database: handle });
      const db = new Kysely<{ readonly business: { readonly id: number } }>({ dialect });
      return (id, work) =>
        db.transaction().execute(async (tx) => {
          await tx.insertInto("business").values({ id }).execute();
          return work();
        });
    },
  ],
];

describe.each(ORMS)("an append in a transaction of %s", (_, open) => {
  async function openBusiness(): Promise<{
    readonly store: RuledStore;
    readonly transact: Transact;
    rows(): readonly unknown[];
  }> {
    const handle = new Database(temporaryFile());
    onTestFinished(() => void handle.close());
    handle.exec("CREATE TABLE business (id INTEGER)");
    const store = createRuledStore(handle);
    onTestFinished(() => store.close());
    await store.migrate();
    await store.createRun(createOf("a"));
    const rows = (): readonly unknown[] => handle.prepare("SELECT id FROM business").pluck().all();
    return { store, transact: open(handle), rows };
  }

  it("S2: the event and the ORM's row are committed together, or rolled back together", async () => {
    const { store, transact, rows } = await openBusiness();
    await transact(1, () => store.appendInTransaction(lineOf(1)));
    const mine = new Error("mine");
    const failed = transact(2, () => {
      store.appendInTransaction(lineOf(2));
      throw mine;
    });
    await expect(failed).rejects.toThrow(mine);
    expect(rows()).toEqual([1]);
    expect(await readValues(store, "a")).toEqual([1]);
  });

  it("S5: a replay is found inside the transaction, and a refusal leaves it usable", async () => {
    const { store, transact, rows } = await openBusiness();
    await store.append([appendOf("a", 1, { idempotencyKey: "k" })]);
    const receipt = await transact(1, () => {
      expect(() => store.appendInTransaction(lineOf(9, { expectedSequence: 0 }))).toThrow(
        expect.objectContaining({ code: "sequence_conflict" }),
      );
      return store.appendInTransaction(lineOf(1, { idempotencyKey: "k" }));
    });
    expect(receipt).toMatchObject({ firstSequence: 1, replayed: true });
    expect(rows()).toEqual([1]);
    expect(await readValues(store, "a")).toEqual([1]);
  });
});
