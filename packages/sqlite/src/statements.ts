import type { RowMoves } from "@tm/run-events-core/store";
import type { SqliteDatabase } from "./driver.ts";
import { prepareAppend } from "./sql/append.ts";
import { prepareDue } from "./sql/due.ts";
import { prepareList } from "./sql/list.ts";
import { type Positions, preparePositions } from "./sql/positions.ts";
import { prepareProbe } from "./sql/probe.ts";
import type { Remains } from "./sql/remains.ts";
import { prepareRead } from "./sql/read.ts";
import { prepareReceipts } from "./sql/receipts.ts";
import { prepareRun } from "./sql/run.ts";
import type { Tables } from "./tables.ts";

/** The store's statements, each prepared once. */
export interface Statements extends RowMoves, Positions, Remains {}

/**
 * Prepares the statements; the tables must exist.
 *
 * SQLite compiles a statement again each time a parameter is bound whose value its planner has read. That is a `LIMIT`, and with
 * `SQLITE_ENABLE_STAT4`, as better-sqlite3 is built, the bounds of a range and the values compared next to them. The planner does
 * not read values inside an expression, so these parameters are written `+?` and `? + 0`.
 * @see https://www.sqlite.org/c3ref/prepare.html
 */
export function prepareStatements(db: SqliteDatabase, tables: Tables): Statements {
  return {
    now: () => Date.now(),
    ...prepareAppend(db, tables),
    ...prepareReceipts(db, tables),
    ...prepareRead(db, tables),
    ...prepareRun(db, tables),
    ...prepareList(db, tables),
    ...prepareDue(db, tables),
    ...prepareProbe(db, tables),
    ...preparePositions(db, tables),
  };
}
