import { DatabaseSync } from "node:sqlite";
import type { Plain } from "@tm/run-events-core/store";
import type { WrittenRun } from "../written-runs.ts";

/** One thing that was written to a store, which any process can write again. */
export type Entry =
  | { readonly atMs: number; readonly plain: Plain }
  | { readonly atMs: number; readonly written: WrittenRun };

/** Entries that processes share in a file, in one order. */
export interface Journal {
  /** The file's own clock: that of the machine, however the process has turned its own. */
  now(): number;
  /** Those after a number, with their own. */
  after(number: number): readonly (readonly [number, Entry])[];
  /** @returns its number */
  add(entry: Entry): number;
  last(): number;
  /** No other process adds anything meanwhile. */
  alone<T>(work: () => Promise<T>): Promise<T>;
  /** A slot for what is not an entry yet. */
  keep(slot: string, value: unknown): void;
  drop(slot: string): void;
  kept(): readonly (readonly [string, unknown])[];
  forgetAll(): void;
  close(): void;
  forgetNewest(count: number): void;
}

/** Opens one that is there already, or a new one. What was committed outlives the process. */
export function openJournal(file: string): Journal {
  const db = new DatabaseSync(file, { timeout: 10_000 });
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
    CREATE TABLE IF NOT EXISTS entry (number INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS slot (name TEXT PRIMARY KEY, text TEXT NOT NULL);`);
  const select = db.prepare("SELECT number, text FROM entry WHERE number > ? ORDER BY number");
  const insert = db.prepare("INSERT INTO entry (text) VALUES (?)");
  const newest = db.prepare("SELECT coalesce(max(number), 0) AS number FROM entry");
  const put = db.prepare("INSERT INTO slot (name, text) VALUES (?, ?)");
  const remove = db.prepare("DELETE FROM slot WHERE name = ?");
  const slots = db.prepare("SELECT name, text FROM slot");
  const clock = db.prepare("SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER) AS ms");
  return {
    now: () => Number(clock.get()?.["ms"]),
    after: (number) =>
      select
        .all(number)
        .map((row) => [Number(row["number"]), JSON.parse(String(row["text"])) as Entry]),
    add: (entry) => Number(insert.run(JSON.stringify(entry)).lastInsertRowid),
    last: () => Number(newest.get()?.["number"]),
    async alone(work) {
      db.exec("BEGIN IMMEDIATE");
      try {
        const done = await work();
        db.exec("COMMIT");
        return done;
      } catch (error) {
        db.exec("ROLLBACK");
        throw error;
      }
    },
    keep: (slot, value) => void put.run(slot, JSON.stringify(value)),
    drop: (slot) => void remove.run(slot),
    kept: () => slots.all().map((row) => [String(row["name"]), JSON.parse(String(row["text"]))]),
    forgetNewest(count) {
      db.exec(`DELETE FROM entry WHERE number > (SELECT max(number) FROM entry) - ${count}`);
    },
    close: () => db.close(),
    forgetAll: () => db.exec("DELETE FROM entry; DELETE FROM slot"),
  };
}
