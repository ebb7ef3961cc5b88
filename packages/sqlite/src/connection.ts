import { RunEventsError } from "@tm/run-events-core";
import { planBackoff, storeClosed } from "@tm/run-events-core/store";
import { checkHandle } from "./check-handle.ts";
import { isClosed, isInTransaction } from "./handle.ts";
import type { SqliteDatabase } from "./driver.ts";
import { databaseClosed, isBusy, storeFailure } from "./failure.ts";
import { FileGuard } from "./file-guard.ts";
import { ObjectDatabase } from "./object-database.ts";
import { migrateSchema, verifySchema } from "./schema.ts";
import { pathOf, setUpHandle } from "./set-up-handle.ts";
import { prepareStatements, type Statements } from "./statements.ts";
import type { Tables } from "./tables.ts";
import { createTransactions, type Transactions } from "./transactions.ts";

/** The time that a call tries in all, in milliseconds. */
const PATIENCE_MS = 10_000;
/** The pauses between two tries: fully random, so that waiting processes do not try again at the same time. */
const BACKOFF = { firstMs: 1, mostMs: 25, jitter: 1 };

/** The transactions and statements that a call works with. */
export interface OpenConnection extends Transactions, Statements {}

/**
 * The caller's handle, set up on first use. It waits for other processes that use its file. The caller keeps the handle: `close` only
 * refuses further work.
 */
export class Connection {
  /** Whether the data is in a file, where other processes can reach it. */
  readonly inFile: boolean;
  /** Whether the data is in the storage of a Durable Object, which no other process reaches. */
  readonly inObject: boolean;
  readonly #db: SqliteDatabase;
  readonly #object: ObjectDatabase | null;
  readonly #tables: Tables;
  readonly #synchronous: "FULL" | "NORMAL";
  readonly #guard: FileGuard;
  #transactions: Transactions | null = null;
  #opened: OpenConnection | null = null;
  #isClosed = false;
  #lastWrite: Promise<unknown> = Promise.resolve();
  #isClearing = false;
  #cleared: Promise<void> = Promise.resolve();

  /**
   * @throws TypeError as `checkHandle`
   * @throws RunEventsError `store_unavailable` if the handle is closed
   */
  constructor(db: SqliteDatabase, tables: Tables, synchronous: "FULL" | "NORMAL") {
    checkHandle(db);
    this.#object = db instanceof ObjectDatabase ? db : null;
    const path = this.#object === null ? pathOf(db) : null;
    this.inFile = path !== null;
    this.inObject = this.#object !== null;
    this.#db = db;
    this.#tables = tables;
    this.#synchronous = synchronous;
    this.#guard = new FileGuard(path);
  }

  /**
   * Runs the synchronous work when the caller has no transaction open on the handle: otherwise the caller could undo what was
   * acknowledged. While another connection has the lock, it tries again after a pause that leaves the event loop free. Work that
   * failed must have changed nothing.
   * @throws RunEventsError `store_unavailable` for what the driver threw, or after 10 s without the lock
   * @see clause S20 in `STORE.md`
   */
  perform<T>(work: (open: OpenConnection) => T): Promise<T> {
    return this.#patiently(() => {
      this.#guard.check();
      return work(this.#open());
    });
  }

  /**
   * Runs the work like `perform`, in a write transaction. Writes wait in the order of their calls, and only one at a time tries for
   * the lock. Many waiting writes therefore cost the event loop no more than one.
   */
  write<T>(work: (open: OpenConnection) => T): Promise<T> {
    const calledAt = performance.now();
    const attempt = (): T => {
      this.#guard.check();
      const open = this.#open();
      return open.write(() => work(open));
    };
    const written = this.#lastWrite.then(() => this.#patiently(attempt, calledAt));
    // The caller gets the failure; it does not affect the next call.
    this.#lastWrite = written.catch(() => {});
    return this.#object === null || this.#synchronous === "NORMAL"
      ? written
      : written.then((result) => this.#confirm(result));
  }

  /** Begins to remove what is left of long runs, in the background: no caller waits for it. Without a removal it does nothing. */
  clearRemains(): void {
    if (this.#isClearing || this.#opened?.mayRemain() !== true) return;
    this.#isClearing = true;
    this.#cleared = this.#clearAll();
  }

  /** Rests after each piece for as long as the piece took, so that appends that waited go first. */
  async #clearAll(): Promise<void> {
    try {
      while (this.#opened?.mayRemain() === true) {
        if (!(await this.perform((open) => open.hasRemains()))) continue;
        const startedAt = performance.now();
        await this.write((open) => open.clearPiece());
        await sleep(performance.now() - startedAt);
      }
    } catch {
      // The runs are removed all the same. The next change of this store tries again, and the first of any other.
    } finally {
      this.#isClearing = false;
    }
  }

  /**
   * Runs the work in the caller's open transaction, now or not at all.
   * @throws RunEventsError as `perform`
   * @throws TypeError without an open transaction, or before the store was set up
   */
  join<T>(work: (open: OpenConnection) => T): T {
    const open = this.#requireOpen();
    if (!isInTransaction(this.#db)) {
      const begin = this.inObject ? "begin one with the store's `transact`" : "begin one first";
      throw new TypeError(`Expected an open transaction on the handle, got none: ${begin}.`);
    }
    try {
      this.#guard.check();
      return work(open);
    } catch (error) {
      throw this.#failureOf(error);
    }
  }

  /**
   * Runs the caller's work at once, in a write transaction or in a savepoint of an open one. If that cannot begin, it throws. It also
   * throws what the work throws.
   * @throws RunEventsError as `perform`
   * @throws TypeError before the store was set up, or if the work answers a promise
   */
  transact<T>(work: () => T): T {
    const open = this.#requireOpen();
    let failed: { readonly error: unknown } | null = null;
    const own = (): T => {
      try {
        return requireAnswer(work());
      } catch (error) {
        failed = { error };
        throw error;
      }
    };
    try {
      return isInTransaction(this.#db) ? open.nested(own) : open.write(own);
    } catch (error) {
      throw failed === null ? this.#failureOf(error) : error;
    }
  }

  #requireOpen(): OpenConnection {
    if (this.#isClosed) throw storeClosed();
    if (isClosed(this.#db)) throw databaseClosed();
    if (this.#opened !== null) return this.#opened;
    throw new TypeError(
      "Expected a store that is set up, got one that is not. Await `migrate()` or `verify()` first.",
    );
  }

  migrate(): Promise<void> {
    return this.#patiently(() => {
      this.#guard.check();
      migrateSchema(this.#db, this.#tables, this.#configure());
      this.#open();
    });
  }

  verify(): Promise<void> {
    return this.#patiently(() => {
      this.#guard.check();
      this.#configure();
      verifySchema(this.#db, this.#tables);
      this.#open();
    });
  }

  /** Refuses all later work. Resolves when no work of its own is under way. */
  close(): Promise<void> {
    this.#isClosed = true;
    return this.#cleared;
  }

  #configure(): Transactions {
    if (this.#transactions !== null) return this.#transactions;
    if (!this.inObject) setUpHandle(this.#db, this.inFile, this.#synchronous);
    this.#transactions = createTransactions(this.#db);
    return this.#transactions;
  }

  #open(): OpenConnection {
    if (this.#opened !== null) return this.#opened;
    const configured = this.#configure();
    verifySchema(this.#db, this.#tables);
    this.#opened = { ...configured, ...prepareStatements(this.#db, this.#tables) };
    this.#guard.noteLog();
    return this.#opened;
  }

  /** Waits until a Durable Object's storage has confirmed the writes. If that fails, the object restarts, with the writes or without. */
  async #confirm<T>(result: T): Promise<T> {
    try {
      await this.#object?.sync();
    } catch (error) {
      throw storeFailure(error, true);
    }
    return result;
  }

  /** The failure of a call, as a `RunEventsError`. */
  #failureOf(error: unknown): RunEventsError {
    return isClosed(this.#db) ? databaseClosed(error) : storeFailure(error);
  }

  async #patiently<T>(work: () => T, calledAt = performance.now()): Promise<T> {
    for (let tries = 1; ; tries++) {
      if (this.#isClosed) throw storeClosed();
      let busy: RunEventsError;
      try {
        if (!isInTransaction(this.#db)) return work();
        busy = new RunEventsError(
          "store_unavailable",
          "The call has waited 10 s, but a transaction is still open on the store's handle: end it, or use a second handle for it.",
        );
      } catch (error) {
        if (!isBusy(error)) throw this.#failureOf(error);
        busy = storeFailure(error);
      }
      if (performance.now() - calledAt > PATIENCE_MS) throw busy;
      await sleep(1 + planBackoff(BACKOFF, tries, Math.random()));
    }
  }
}

/** @throws TypeError for a promise: the transaction would end before the work */
function requireAnswer<T>(answer: T): T {
  if (!(answer instanceof Promise)) return answer;
  throw new TypeError("Expected synchronous work, got a promise: await nothing in a transaction.");
}

/** Pauses. `node:timers` is not used, since other runtimes lack it. */
function sleep(forMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, forMs);
  });
}
