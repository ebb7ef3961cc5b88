import { prepareStatement } from "../handle.ts";
import type { SqliteDatabase } from "../driver.ts";
import type { Tables } from "../tables.ts";

/** The number of events that one transaction removes. Writers and this process wait for it, so it is short. */
export const EVENTS_AT_ONCE = 100;

/**
 * The statements that remove a long run in pieces. The transaction that removes it only gives its row an id that no run can have and an
 * empty owner, so that no call finds it. The `due_kind` `removed` marks such remains, so that any process can find and remove them.
 */
export interface Remains {
  /** Hides a long run from all calls, as the first step of its removal. A short run stays as it is. */
  behead(ordinal: number): void;
  /** Whether there may be remains: these statements have removed a run, or never looked. It costs nothing. */
  mayRemain(): boolean;
  /** Whether there are remains, of any process. */
  hasRemains(): boolean;
  /** Removes a piece of the remains. */
  clearPiece(): void;
}

/** Prepares the statements. CROSS JOIN makes the planner begin with the remains, however large the tables are. */
export function prepareRemains(db: SqliteDatabase, tables: Tables): Remains {
  const { runs, events, receipts } = tables;
  const behead = prepareStatement(
    db,
    `UPDATE ${runs} SET run_id = '#' || run_key, owner_id = '', topic = NULL, metadata = 'null', due_kind = 'removed'
     WHERE run_key = ? AND last_sequence > ${EVENTS_AT_ONCE}`,
  );
  const find = prepareStatement(db, `SELECT 1 FROM ${runs} WHERE due_kind = 'removed' LIMIT 1`);
  const clear = [
    `DELETE FROM ${events} WHERE rowid IN (
       SELECT e.rowid FROM ${runs} r CROSS JOIN ${events} e ON e.run_key = r.run_key
       WHERE r.due_kind = 'removed' LIMIT ${EVENTS_AT_ONCE})`,
    `DELETE FROM ${receipts} WHERE (run_key, idempotency_key) IN (
       SELECT c.run_key, c.idempotency_key FROM ${runs} r CROSS JOIN ${receipts} c ON c.run_key = r.run_key
       WHERE r.due_kind = 'removed' LIMIT ${EVENTS_AT_ONCE})`,
    `DELETE FROM ${runs} WHERE due_kind = 'removed'
       AND NOT EXISTS (SELECT 1 FROM ${events} e WHERE e.run_key = ${runs}.run_key)
       AND NOT EXISTS (SELECT 1 FROM ${receipts} c WHERE c.run_key = ${runs}.run_key)`,
  ].map((sql) => prepareStatement(db, sql));
  // Another process may have ended in the middle of a removal.
  let mayRemain = true;
  return {
    behead(ordinal) {
      behead.run(ordinal);
      mayRemain = true;
    },
    mayRemain: () => mayRemain,
    hasRemains() {
      mayRemain = find.get() !== undefined;
      return mayRemain;
    },
    clearPiece: () => clear.forEach((statement) => void statement.run()),
  };
}
