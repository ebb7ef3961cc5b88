import { RunEventsError } from "../rules/errors.ts";
import { planBackoff } from "../time/backoff.ts";
import { type Clock, pause, systemClock } from "../time/clock.ts";
import type { RowMoves, RowWork, Transact, TransactionMode } from "./row-moves.ts";

/** How long a transaction that met others' is tried again, in milliseconds. */
const PATIENCE_MS = 10_000;
/** The pauses between two attempts, all by chance, so that transactions that met do not meet again. */
const BACKOFF = { firstMs: 2, mostMs: 20, jitter: 1 };

/** A transaction on a connection of its own. */
export interface OpenTransaction extends RowMoves {
  /** Commits, and gives the connection back, also if that fails. */
  commit(): Promise<void>;
  /** Undoes everything, and gives the connection back. Where that fails it closes the connection, and does not reject. */
  rollback(): Promise<void>;
}

/** Settings of `createTransact`. */
export interface TransactOptions {
  /**
   * Takes a connection and begins. `write` needs READ COMMITTED or stricter; `snapshot` needs an isolation in which all statements see
   * one instant; `plain` needs no transaction: its `commit` and `rollback` only give the connection back.
   */
  readonly begin: (mode: TransactionMode) => Promise<OpenTransaction>;
  /** Whether others' transactions were in the way, so that this one was rolled back whole: a deadlock, a serialization failure. */
  readonly isContention: (error: unknown) => boolean;
  /** The driver's error as `store_unavailable`, with itself as the cause. A `RunEventsError` stays as it is. @see S20 */
  readonly failureOf: (error: unknown) => RunEventsError;
  readonly clock?: Clock | undefined;
}

/**
 * Transactions of a database server: begin, work, commit. One that met others' is tried again, for up to 10 s, after a random pause, so
 * that those that met do not all meet again. Whatever fails before the commit has changed nothing. A commit of a `write` that fails is
 * `ambiguous`, unless others were in its way.
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
