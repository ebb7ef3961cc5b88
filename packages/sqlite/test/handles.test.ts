import { describe, expect, it } from "vitest";
import { createSqliteStore, type SqliteDatabase } from "../src/index.ts";
import { DRIVERS } from "./drivers.ts";
import {
  appendOf,
  claimOf,
  createOf,
  endOf,
  queryOf,
  readValues,
} from "@tm/run-events-test-servers/requests";
import { createRuledStore } from "./ruled-store.ts";
import { openStore, temporaryFile } from "./stores.ts";

/** Handles that only a program without types can pass. */
const WRONG: readonly (readonly [string, unknown, string])[] = [
  ["a path", "runs.db", 'Got "runs.db"'],
  ["nothing", undefined, "Got undefined"],
  ["null", null, "Got null"],
  ["a promise", Promise.resolve(), "Got another object"],
  ["a class", class {}, "Got a function"],
  ["a network client", { execute() {}, batch() {} }, "Got another object"],
  ["an asynchronous driver", { prepare() {}, exec() {} }, "Got another object"],
];

describe("a handle", () => {
  it.each(WRONG)("S20: %s is a TypeError with what to pass", (_, handle, message) => {
    const create = (): unknown => createSqliteStore(handle as SqliteDatabase);
    expect(create).toThrow(TypeError);
    expect(create).toThrow(message);
  });
});

describe.each(DRIVERS)("a handle of $name", (driver) => {
  const closed = {
    code: "store_unavailable",
    message: "The database is closed: open it again, and create a store on the new handle.",
    retryable: false,
    ambiguous: false,
  };

  it("S20: a closed handle cannot become a store", () => {
    const db = driver.open(temporaryFile());
    db.close();
    expect(() => createSqliteStore(db)).toThrow(expect.objectContaining(closed));
  });

  it("S20: a handle that the caller closes makes the store unavailable for good, with that reason", async () => {
    const db = driver.open(temporaryFile());
    const store = createRuledStore(db);
    await store.migrate();
    await store.createRun(createOf("a"));
    db.close();
    for (const call of [
      () => store.append([appendOf("a")]),
      () => store.read([queryOf("a")]),
      () => store.probe(),
      () => store.migrate(),
      () => store.subscribe("a", () => {}).ready,
    ]) {
      await expect(call()).rejects.toMatchObject(closed);
    }
    await store.close();
  });

  it("S20: a handle like bun:sqlite's, which answers null without a row and does not show that it is open, works", async () => {
    const { db: inner } = await openStore(driver, temporaryFile());
    let isOver = false;
    const db: SqliteDatabase = {
      exec: (sql) => inner.exec(sql),
      get inTransaction() {
        if (isOver) throw new Error("Database has closed");
        return "isTransaction" in inner ? inner.isTransaction : inner.inTransaction;
      },
      prepare(sql) {
        const statement = inner.prepare(sql);
        return {
          run: (...values) => statement.run(...(values as never[])),
          get: (...values) => statement.get(...(values as never[])) ?? null,
          all: (...values) => statement.all(...(values as never[])),
        };
      },
    };
    const store = createRuledStore(db, { tablePrefix: "other_" });
    await store.migrate();
    expect(await store.getRun("a")).toBeNull();
    expect(await store.createRun(createOf("a"))).toMatchObject({ outcome: "created" });
    expect(await store.claim(claimOf("b"))).toEqual({ outcome: "not_found" });
    await store.append([appendOf("a", 1, { idempotencyKey: "k" }), endOf("a")]);
    expect(await store.append([appendOf("a", 1, { idempotencyKey: "k" })])).toMatchObject([
      { outcome: "replayed" },
    ]);
    expect(await readValues(store, "a")).toEqual([1, null]);
    isOver = true;
    await expect(store.getRun("a")).rejects.toMatchObject(closed);
    await store.close();
  });
});
