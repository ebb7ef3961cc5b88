import { isInTransaction, prepareStatement } from "./handle.ts";
import type { SqliteDatabase } from "./driver.ts";
import { ObjectDatabase } from "./object-database.ts";
import { isDiskFailure, storeFailure } from "./failure.ts";

/** Runs synchronous work in transactions of one handle. If the work throws, it is rolled back, and the error is thrown again. */
export interface Transactions {
  /**
   * Runs the work in a read transaction: everything that it reads is of one point in time.
   * @see clause S9 in `STORE.md`
   */
  read<T>(work: () => T): T;
  /**
   * Runs the work in a write transaction. It takes the write lock first, so that the work cannot fail half-way for it.
   * @see clause S2 in `STORE.md`
   */
  write<T>(work: () => T): T;
  /** Runs the work in a savepoint of the caller's open transaction. A failure undoes only the work. */
  nested<T>(work: () => T): T;
}

/** Prepares the statements of transactions. */
export function createTransactions(db: SqliteDatabase): Transactions {
  if (db instanceof ObjectDatabase) return transactionsOfObject(db);
  const begin = prepareStatement(db, "BEGIN");
  const beginWrite = prepareStatement(db, "BEGIN IMMEDIATE");
  const commit = prepareStatement(db, "COMMIT");
  const rollback = prepareStatement(db, "ROLLBACK");
  const savepoint = prepareStatement(db, "SAVEPOINT run_events");
  const release = prepareStatement(db, "RELEASE run_events");
  const rollbackTo = prepareStatement(db, "ROLLBACK TO run_events");

  function undo(): void {
    // After some failures, such as a full disk, SQLite has already rolled back.
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
      // The commit may be whole on the disk although its sync failed: a crash before the next write would restore it.
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

/** A Durable Object runs one turn at a time, and no other client writes. So all reads of a turn are of one point in time. */
function transactionsOfObject(db: ObjectDatabase): Transactions {
  return {
    read: (work) => work(),
    write: (work) => db.transact(work),
    nested: (work) => db.transact(work),
  };
}
