import { describeValue } from "@tm/run-events-core/wire";
import type { SqliteDatabase } from "./driver.ts";

const EXPECTED =
  "Expected an open, synchronous SQLite handle: `new Database(path)` of better-sqlite3 or bun:sqlite, `new DatabaseSync(path)` of node:sqlite in Node 22.23, 24.15 or newer, or `ctx.storage` in a Durable Object";

/**
 * Refuses a value that cannot be a handle.
 * @throws TypeError for a path, a promise, an asynchronous driver, or a handle that does not show whether a transaction is open, as that of
 * node:sqlite before Node 22.16
 */
export function checkHandle(db: SqliteDatabase): void {
  const given: unknown = db;
  if (isHandle(given)) return;
  throw new TypeError(
    `${EXPECTED}. Got ${typeof given === "object" && given !== null ? "another object" : describeValue(given)}.`,
  );
}

function isHandle(given: unknown): boolean {
  if (typeof given !== "object" || given === null) return false;
  const { prepare, exec } = given as Partial<SqliteDatabase>;
  const isShown = "inTransaction" in given || "isTransaction" in given;
  return typeof prepare === "function" && typeof exec === "function" && isShown;
}
