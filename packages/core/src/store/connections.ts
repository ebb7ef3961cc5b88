import { RunEventsError } from "../rules/errors.ts";
import { planBackoff } from "../time/backoff.ts";
import { type Clock, pause, systemClock } from "../time/clock.ts";
import type { RowMoves, RowWork, Transact, TransactionMode } from "./row-moves.ts";

/** How long a transaction that met others is tried again, in milliseconds. */
const PATIENCE_MS = 10_000;
/** The pauses between two attempts: random, so that transactions that met do not meet again. */
const BACKOFF = { firstMs: 2, mostMs: 20, jitter: 1 };

/** Settings of {@link createConnections}: the calls of a driver and its pool. */
export interface ConnectionsOptions<Connection> {
  /** Takes a connection that no one else uses until `release`. */
  readonly connect: () => Promise<Connection>;
  /**
   * Returns a connection. Called once for each that `connect` gave, even if a call failed. Must not throw.
   * @param isBroken its transaction may still be open, or a statement outside of a transaction has failed: close the connection
   */
  readonly release: (connection: Connection, isBroken: boolean) => void;
  /**
   * Runs a statement without values: one of `begin`, `COMMIT` or `ROLLBACK`. Rejects if the server refuses it or the connection
   * breaks.
   */
  readonly run: (connection: Connection, statement: string) => Promise<unknown>;
  /**
   * The statements that begin a transaction. `write` needs READ COMMITTED or stricter. `snapshot` needs an isolation in which all
   * statements see one instant; it only reads. `plain` is no transaction, and sends none.
   */
  readonly begin: Readonly<Record<Exclude<TransactionMode, "plain">, readonly string[]>>;
  /** The moves of one transaction on its connection. */
  readonly rowsOn: (connection: Connection, mode: TransactionMode) => RowMoves;
  /**
   * Whether other transactions were in the way, so that the same call may land now: a deadlock, a serialization failure. The call is
   * then tried again from its start. From `COMMIT` such an error must mean that nothing was committed. Answer `false` for a lock wait
   * timeout: the other transaction still has the lock, so the call fails with `failureOf`.
   */
  readonly isContention: (error: unknown) => boolean;
  /**
   * Turns a driver's error into `store_unavailable`, with itself as the `cause`. `retryable: false` if it lasts until an operator acts.
   * `RunEventsError`s stay as they are, and do not come here.
   * @see clause S20 in `STORE.md`
   */
  readonly failureOf: (error: unknown) => RunEventsError;
  readonly clock?: Clock | undefined;
}

/** The work that a store does on its connections. */
export interface Connections<Connection> {
  /** Runs one transaction, for `createRowStore`. */
  readonly transact: Transact;
  /**
   * Does work outside of transactions, such as a migration or a read of the server's settings. It is not tried again.
   * @throws RunEventsError as {@link ConnectionsOptions.failureOf} makes it
   */
  perform<T>(work: (connection: Connection) => Promise<T>): Promise<T>;
}

/**
 * Makes the transactions of a database server: connect, begin, work, commit, release.
 *
 * - Work that fails is rolled back. If the `ROLLBACK` fails too, the connection is closed, so the server rolls back. The caller gets
 *   the
 *   first error.
 * - A transaction that met others is tried again for up to 10 s, after random pauses, so that those that met do not all meet again.
 * - A failure before the commit has changed nothing. A `COMMIT` of a `write` that fails is `ambiguous`, unless other transactions were
 *   in its way.
 * - A connection is closed if it may be broken: `BEGIN`, `COMMIT`, `ROLLBACK` or work outside of a transaction has failed on it.
 * @see clauses S2, S7 and S20 in `STORE.md`
 */
export function createConnections<Connection>(
  options: ConnectionsOptions<Connection>,
): Connections<Connection> {
  const { connect, release, run, begin, rowsOn, isContention, clock = systemClock } = options;

  function failureOf(error: unknown): RunEventsError {
    return error instanceof RunEventsError ? error : options.failureOf(error);
  }

  /** Does work on a connection. If it fails, the connection is closed, unless the work has called `isClean`. */
  async function withConnection<T>(
    work: (connection: Connection, isClean: () => void) => T | Promise<T>,
  ): Promise<T> {
    const connection = await connect();
    let isBroken = true;
    const isClean = (): void => void (isBroken = false);
    try {
      const result = await work(connection, isClean);
      isClean();
      return result;
    } finally {
      release(connection, isBroken);
    }
  }

  function once<T>(mode: TransactionMode, work: RowWork<T>): Promise<T> {
    if (mode === "plain") return withConnection((connection) => work(rowsOn(connection, mode)));
    return withConnection(async (connection, isClean) => {
      for (const statement of begin[mode]) await run(connection, statement);
      let result: T;
      try {
        result = await work(rowsOn(connection, mode));
      } catch (error) {
        await run(connection, "ROLLBACK").then(isClean, () => {});
        throw error;
      }
      try {
        await run(connection, "COMMIT");
      } catch (error) {
        throw mode === "write" && !isContention(error) ? inDoubt(failureOf(error)) : error;
      }
      return result;
    });
  }

  return {
    async transact(mode, work) {
      const untilMs = clock.now() + PATIENCE_MS;
      for (let tries = 1; ; tries++) {
        try {
          return await once(mode, work);
        } catch (error) {
          if (!isContention(error) || clock.now() > untilMs) throw failureOf(error);
          await pause(clock, planBackoff(BACKOFF, tries, Math.random()));
        }
      }
    },
    async perform(work) {
      try {
        return await withConnection(work);
      } catch (error) {
        throw failureOf(error);
      }
    },
  };
}

/** The failure of a commit that may have landed. @see clause S7 in `STORE.md` */
function inDoubt({ code, message, cause, details, retryable }: RunEventsError): RunEventsError {
  return new RunEventsError(code, message, { cause, details, retryable, ambiguous: true });
}
