import { expectApart, expectShapes } from "@tm/run-events-test-servers/expectations";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createSqliteStore } from "../src/index.ts";
import { DRIVERS, type Handle } from "./drivers.ts";
import {
  appendOf,
  createOf,
  oneTo,
  queryOf,
  readValues,
} from "@tm/run-events-test-servers/requests";
import { plainOf } from "./plain.ts";
import { textsOf } from "./recorded-statements.ts";
import { openHandle, openStore, temporaryFile } from "./stores.ts";

function valueOf(db: Handle, sql: string): unknown {
  return Object.values(db.prepare(sql).get() as object)[0];
}

/** The number of transactions that a file's WAL holds: a frame that ends one has the size of the database. */
function countCommits(file: string): number {
  const wal = readFileSync(`${file}-wal`);
  const frameBytes = 24 + wal.readUInt32BE(8);
  const saltOf = (at: number): string => wal.toString("hex", at, at + 8);
  let commits = 0;
  for (let at = 32; at + frameBytes <= wal.length; at += frameBytes) {
    if (saltOf(at + 8) === saltOf(16) && wal.readUInt32BE(at + 4) > 0) commits += 1;
  }
  return commits;
}

describe.each(DRIVERS)("the SQLite store on $name", (driver) => {
  it("S2: a call of `append` is one transaction", async () => {
    const file = temporaryFile();
    const { store } = await openStore(driver, file);
    const runIds = oneTo(64).map((number) => `run-${number}`);
    for (const runId of runIds) await store.createRun(createOf(runId));
    await store.append(runIds.map((runId) => appendOf(runId)));
    const before = countCommits(file);
    await store.inner.append(runIds.map((runId) => plainOf(runId, 1)));
    expect(countCommits(file) - before).toBe(1);
  });

  it("S2: a call of `append` that fails half-way changes nothing, and the store continues to work", async () => {
    const { db, store } = await openStore(driver, temporaryFile());
    for (const runId of ["a", "b"]) {
      await store.createRun(createOf(runId));
      await store.append([appendOf(runId, 1)]);
    }
    db.exec(`CREATE TRIGGER refuse BEFORE INSERT ON run_events_events WHEN NEW.sequence = 3
      BEGIN SELECT RAISE(ABORT, 'refused'); END`);
    const plains = [plainOf("b", 2), plainOf("a", 2, 3)];
    await expect(store.inner.append(plains)).rejects.toMatchObject({
      code: "store_unavailable",
      message: "The database failed: the `cause` has its error.",
      cause: expect.objectContaining({ message: expect.stringContaining("refused") }),
    });
    for (const runId of ["a", "b"]) expect(await readValues(store, runId)).toEqual([1]);
    db.exec("DROP TRIGGER refuse");
    expect(await store.append([appendOf("a", 3)])).toMatchObject([{ firstSequence: 2 }]);
  });

  it.each([
    ["FULL", 2, "power"],
    ["NORMAL", 1, "process"],
  ] as const)(
    "S6: a store shows and keeps synchronous=%s, even after the first write",
    async (synchronous, level, durability) => {
      const { db, store } = await openStore(driver, temporaryFile(), { synchronous });
      await store.createRun(createOf("a"));
      await store.append([appendOf("a")]);
      expect(valueOf(db, "PRAGMA synchronous")).toBe(level);
      expect(valueOf(db, "PRAGMA journal_mode")).toBe("wal");
      expect(store.capabilities).toMatchObject({ durability, shared: true });
    },
  );

  it("S6: a store promises no durability for a database in memory", async () => {
    const { store } = await openStore(driver, ":memory:");
    expect(store.capabilities).toMatchObject({ durability: "memory", shared: false });
  });

  it("S9: a page that ends early leaves no snapshot open", async () => {
    const file = temporaryFile();
    const { store } = await openStore(driver, file);
    const other = openHandle(driver, file);
    await store.createRun(createOf("a"));
    await store.append(oneTo(20).map((value) => appendOf("a", value)));
    const [page] = await store.read([queryOf("a", { maxBytes: 1 })]);
    expect(page?.events.map(({ sequence }) => sequence)).toEqual([1]);
    // A reader's snapshot would keep the WAL from being emptied.
    await store.append([appendOf("a", 21)]);
    expect(valueOf(other, "PRAGMA wal_checkpoint(TRUNCATE)")).toBe(0);
  });

  it("S11: rows are plain objects with numbers, under any defaults of the handle", async () => {
    const db = openHandle(driver, temporaryFile(), { oddRows: true });
    const store = createSqliteStore(db);
    await store.migrate();
    await expectShapes(store);
    await store.close();
  });

  it("S12: no statement scans a table or sorts", async () => {
    const { db } = await openStore(driver, temporaryFile());
    const plans = textsOf(db)
      .filter((sql) => !sql.startsWith("PRAGMA"))
      .map((sql) => {
        const placeholders = Array.from(sql.matchAll(/\?/g), () => null);
        return db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...placeholders) as {
          readonly detail: string;
        }[];
      })
      .flatMap((steps) => steps.map(({ detail }) => detail));
    const indexes = db
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL")
      .all() as readonly { readonly name: string }[];
    expect(indexes.length).toBeGreaterThan(0);
    for (const { name } of indexes) expect(plans.join("\n")).toMatch(new RegExp(`\\b${name}\\b`));
    // The names that are asked for, new rows, and one row for each table that gives out ordinals.
    const isLong = /SCAN(?! name VIRTUAL TABLE| \d+-ROW VALUES| sqlite_sequence)|TEMP B-TREE/;
    expect(plans.filter((step) => isLong.test(step))).toEqual([]);
  });

  it("S18: `close` refuses later calls and leaves the handle open", async () => {
    const { db, store } = await openStore(driver, temporaryFile());
    await store.createRun(createOf("a"));
    await store.close();
    await store.close();
    const closed = { code: "store_unavailable", retryable: false };
    await expect(store.append([appendOf("a")])).rejects.toMatchObject(closed);
    await expect(store.read([queryOf("a")])).rejects.toMatchObject(closed);
    await expect(store.subscribe("a", () => {}).ready).rejects.toMatchObject(closed);
    expect(valueOf(db, "SELECT count(*) FROM run_events_runs")).toBe(1);
  });

  it("S19: stores with different prefixes share a file and nothing else", async () => {
    const file = temporaryFile();
    const { store: ours } = await openStore(driver, file);
    const { store: theirs } = await openStore(driver, file, { tablePrefix: "other_" });
    await expectApart(ours.inner, theirs.inner);
  });

  it.each([
    { tablePrefix: "" },
    { tablePrefix: "run-events" },
    { tablePrefix: "sqlite_" },
    { tablePrefix: "x; DROP TABLE y" },
    { synchronous: "OFF" as "FULL" },
  ])("a bad option is a TypeError: %j", (options) => {
    expect(() => createSqliteStore(openHandle(driver, ":memory:"), options)).toThrow(TypeError);
  });
});
