import { isInTransaction, prepareStatement } from "./handle.ts";
import type { SqliteDatabase } from "./driver.ts";
import { isDiskFailure, storeFailure } from "./failure.ts";

/** Runs synchronous work in transactions of one handle. What the work throws undoes it and is thrown on. */
export interface Transactions {
  /** One point in time for everything that the work reads. @see S9 */
  read<T>(work: () => T): T;
  /** Takes the write lock first, so that no work fails half-way for it. @see S2 */
  write<T>(work: () => T): T;
  /** A part of the caller's open transaction that is undone by itself. */
  nested<T>(work: () => T): T;
}

/** Prepares what transactions need. */
export function createTransactions(db: SqliteDatabase): Transactions {
  const begin = prepareStatement(db, "BEGIN");
  const beginWrite = prepareStatement(db, "BEGIN IMMEDIATE");
  const commit = prepareStatement(db, "COMMIT");
  const rollback = prepareStatement(db, "ROLLBACK");
  const savepoint = prepareStatement(db, "SAVEPOINT run_events");
  const release = prepareStatement(db, "RELEASE run_events");
  const rollbackTo = prepareStatement(db, "ROLLBACK TO run_events");

  function undo(): void {
    // SQLite has rolled back by itself after some failures, such as a full disk.
    if (isInTransaction(db)) rollback.run();
  }

  function run<T>(start: typeof begin, work: () => T): T {
    start.run();
    let result: T;
    try {
      result = work();
    } catch (error) {
      undo();
      throw error;
    }
    try {
      commit.run();
    } catch (error) {
      undo();
      // The commit may be whole on the disk although its sync failed: a crash before the next write would bring it back.
      throw isDiskFailure(error) ? storeFailure(error, true) : error;
    }
    return result;
  }

  return {
    read: (work) => run(begin, work),
    write: (work) => run(beginWrite, work),
    nested(work) {
      savepoint.run();
      try {
        const result = work();
        release.run();
        return result;
      } catch (error) {
        if (isInTransaction(db)) {
          rollbackTo.run();
          release.run();
        }
        throw error;
      }
    },
  };
}
