import type { StoredEvent } from "../rules/event.ts";
import type { ReadQuery } from "../rules/page.ts";
import type { EventRow, MovedHead, ReceiptRow } from "../rules/plan-appends.ts";
import type { HeadRow } from "../rules/plan-lease.ts";
import type { NewRun } from "../rules/plan-run.ts";
import type { RunRecord } from "../rules/run.ts";
import type { ListQuery } from "./store.ts";

/** What a database gives at once, as SQLite does, or later, as a server does. */
export type Answer<T> = T | Promise<T>;

/** Which runs are due: by when their leases ran out, or by when they finished. */
export type DueTime = "leaseExpiresAtMs" | "finishedAtMs";

/**
 * What a database does for a store in one transaction. No policy is here: what a move is asked for, it does. What one throws rolls the
 * transaction back. Moves are called one after the other, each after the answer to the one before.
 */
export interface RowMoves {
  /** The database's clock as of now, not as of the transaction's begin, in whole milliseconds since 1970. */
  now(): Answer<number>;
  /**
   * The heads of those of the runs that there are, in any order. In a `write` transaction each is locked until its end: no other one
   * changes or removes it, and what is read is the latest. Locks are taken by ascending run id, which `runIds` has.
   */
  selectHeads(runIds: readonly string[]): Answer<readonly HeadRow[]>;
  /** Those of the receipts that there are, in any order. */
  selectReceipts(
    keys: readonly Pick<ReceiptRow, "ordinal" | "idempotencyKey">[],
  ): Answer<readonly ReceiptRow[]>;
  /** A run's events after `since`, ascending, cut as `createPageCut` does: what does not fit need not be fetched. */
  selectEvents(
    ordinal: number,
    page: Pick<ReadQuery, "since" | "limit" | "maxBytes">,
  ): Answer<readonly StoredEvent[]>;
  /** The `phase` of the run's last event at or before the sequence that has one, through an index; `null` if none has. */
  selectPhase(ordinal: number, sequence: number): Answer<string | null>;
  /** An owner's runs as the query asks, by descending ordinal, through an index. */
  selectOwned(query: ListQuery): Answer<readonly RunRecord[]>;
  /** The ids of runs whose time is at or before this one, the earliest first, through an index. A time of `null` is never due. */
  selectDue(time: DueTime, untilMs: number, limit: number): Answer<readonly string[]>;
  /** Makes a run. @returns its ordinal, larger than any that ever was; `null` if another transaction has just made a run of that id */
  insertRun(run: NewRun): Answer<number | null>;
  insertEvents(events: readonly EventRow[]): Answer<void>;
  insertReceipts(receipts: readonly ReceiptRow[]): Answer<void>;
  /** Saves heads that were locked, by their ordinals: everything but the run's id, owner, metadata and creation may have changed. */
  saveHeads(moved: readonly MovedHead<HeadRow>[]): Answer<void>;
  /** Removes runs with their events and receipts. */
  deleteRuns(ordinals: readonly number[]): Answer<void>;
  /** Writes something small that the commit makes as durable as an append, and leaves nothing. */
  writeProbe(): Answer<void>;
}

/**
 * How a transaction is isolated. `plain`: reads that need no common instant, so no transaction is needed. `snapshot`: all reads see one
 * instant. `write`: it commits as a whole, and heads are locked.
 */
export type TransactionMode = "plain" | "snapshot" | "write";

/** Runs the work in a transaction. What it throws is what the caller of the store gets: `RunEventsError`s. */
export type Transact = <T>(mode: TransactionMode, work: RowWork<T>) => Promise<T>;

/** Steps between which moves are made: each is an answer that is waited for. */
export type Steps<T> = Generator<unknown, T, unknown>;

/** One step: waits for a move's answer. */
export function* move<T>(answer: Answer<T>): Generator<Answer<T>, T, unknown> {
  return (yield answer) as T;
}

/** What a call of a store does in a transaction, on a database that answers at once or later. */
export interface RowWork<T> {
  /** Each move's answer is waited for. */
  run(rows: RowMoves): Promise<T>;
  /** In one synchronous block. No move may answer with a promise. */
  runNow(rows: RowMoves): T;
}

/** Work from its steps. */
export function rowWork<T>(steps: (rows: RowMoves) => Steps<T>): RowWork<T> {
  return {
    async run(rows) {
      const work = steps(rows);
      let step = work.next();
      while (step.done !== true) step = work.next(await step.value);
      return step.value;
    },
    runNow(rows) {
      const work = steps(rows);
      let step = work.next();
      while (step.done !== true) step = work.next(step.value);
      return step.value;
    },
  };
}
