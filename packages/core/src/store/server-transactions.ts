import { RunEventsError } from "../rules/errors.ts";
import { planBackoff } from "../time/backoff.ts";
import { type Clock, pause, systemClock } from "../time/clock.ts";
import type { RowMoves, RowWork, Transact, TransactionMode } from "./row-moves.ts";

/** How long a transaction that met others is tried again, in milliseconds. */
const PATIENCE_MS = 10_000;
/** The pauses between two attempts: fully random, so that transactions that met do not meet again. */
const BACKOFF = { firstMs: 2, mostMs: 20, jitter: 1 };

/** A transaction on a connection of its own. */
export interface OpenTransaction extends RowMoves {
  /** Commits, and gives the connection back, also if that fails. */
  commit(): Promise<void>;
  /** Undoes everything, and gives the connection back. If that fails, it closes the connection. Never rejects. */
  rollback(): Promise<void>;
}

/** Settings of `createTransact`. */
export interface TransactOptions {
  /**
   * Takes a connection and begins. `write` needs READ COMMITTED or stricter; `snapshot` needs an isolation in which all statements see
   * one instant; `plain` needs no transaction: its `commit` and `rollback` only give the connection back.
   */
  readonly begin: (mode: TransactionMode) => Promise<OpenTransaction>;
  /** Whether other transactions caused this one to be rolled back whole: a deadlock, a serialization failure. */
  readonly isContention: (error: unknown) => boolean;
  /** Makes the driver's error the cause of a `store_unavailable`. A `RunEventsError` stays as it is. @see S20 */
  readonly failureOf: (error: unknown) => RunEventsError;
  readonly clock?: Clock | undefined;
}

/**
 * Transactions of a database server: begin, work, commit. A transaction that met others is tried again for up to 10 s, after random
 * pauses. A failure before the commit has changed nothing. A failed commit of a `write` is `ambiguous`, unless `isContention` says
 * otherwise.
 * @see S2, S7, S20
 */
export function createTransact(options: TransactOptions): Transact {
  const { begin, isContention, failureOf, clock = systemClock } = options;

  async function once<T>(mode: TransactionMode, work: RowWork<T>): Promise<T> {
    const transaction = await begin(mode);
    let result: T;
    try {
      result = await work(transaction);
    } catch (error) {
      await transaction.rollback();
      throw error;
    }
    try {
      await transaction.commit();
    } catch (error) {
      throw mode !== "write" || isContention(error) ? error : inDoubt(failureOf(error));
    }
    return result;
  }

  return async (mode, work) => {
    const untilMs = clock.now() + PATIENCE_MS;
    for (let tries = 1; ; tries++) {
      try {
        return await once(mode, work);
      } catch (error) {
        if (!isContention(error) || clock.now() > untilMs) throw failureOf(error);
        await pause(clock, planBackoff(BACKOFF, tries, Math.random()));
      }
    }
  };
}

/** The failure of a commit that may have landed. @see S7 */
function inDoubt({ code, message, cause, details, retryable }: RunEventsError): RunEventsError {
  return new RunEventsError(code, message, { cause, details, retryable, ambiguous: true });
}
