import type { StoredEvent } from "../rules/event.ts";
import type { ReadQuery } from "../rules/page.ts";
import type { IdleRun, LiveStatus } from "../rules/idle.ts";
import type { EventRow, MovedHead, ReceiptRow } from "../rules/plan-appends.ts";
import type { HeadRow } from "../rules/plan-lease.ts";
import type { NewRun } from "../rules/plan-run.ts";
import type { RunRecord } from "../rules/run.ts";
import { type Answer, isLater } from "./answers.ts";
import type { ListQuery } from "./store.ts";

/** The time by which runs are due: the end of their leases, or the time at which they finished. */
export type DueTime = "leaseExpiresAtMs" | "finishedAtMs";

/**
 * The moves of a database in one transaction of a store. A move has no policy: it does what it is asked for. If one throws, the
 * transaction is rolled back. Each move is called after the answer to the one before.
 *
 * Each call of the store is one transaction, with moves in this order. `?` is once or not at all, `*` any number of times, `+` once or
 * more.
 *
 * | call        | mode     | moves                                                                                                                      |
 * | ----------- | -------- | -------------------------------------------------------------------------------------------------------------------------- |
 * | createRun   | write    | (selectHeads (now selectOwned? insertRun?)?)+ now? saveHeads?                                                                                            |
 * | append      | write    | selectHeads now (selectReceipts selectEvents*)? (insertEvents+ insertReceipts* saveHeads)?               |
 * | claim       | write    | selectHeads now saveHeads?                                                                                                 |
 * | renew       | write    | selectHeads now saveHeads?                                                                                                 |
 * | release     | write    | selectHeads now saveHeads?                                                                                                 |
 * | deleteRun   | write    | selectHeads deleteRuns?                                                                             |
 * | purge       | write    | now (selectDue (selectHeads deleteRuns?)?)*                                                              |
 * | probe       | write    | writeProbe now                                                                                                             |
 * | read        | snapshot | selectHeads (selectEvents? selectEvents?)*                                                                                 |
 * | getRun      | plain    | selectHeads                                                                                                                |
 * | listRuns    | plain    | selectOwned                                                                                                                |
 * | listExpired | plain    | now selectDue                                                                                                              |
 * | listIdle    | plain    | now selectIdle (selectHeads saveHeads?)?                                                                                   |
 *
 * The part in brackets of `listIdle` is a second transaction, in the mode `write`. No list that a move gets is empty, and none names a
 * row twice. Run ids, keys and saved heads are 1,024 at most, ordinals 100.
 */
export interface RowMoves {
  /**
   * The database's clock as of now, not as of the transaction's start, in whole milliseconds since 1970. In a `write` transaction of
   * runs it is asked after their locks are held.
   */
  now(): Answer<number>;
  /**
   * The heads of the runs that exist, in any order. In a `write` transaction each is locked until its end: no other one
   * changes or removes it, and what is read is the latest. Locks are taken by ascending run id, which `runIds` has. In the other modes
   * it locks nothing.
   */
  selectHeads(runIds: readonly string[]): Answer<readonly HeadRow[]>;
  /** The receipts that exist, in any order. */
  selectReceipts(
    keys: readonly Pick<ReceiptRow, "ordinal" | "idempotencyKey">[],
  ): Answer<readonly ReceiptRow[]>;
  /** A run's events after `since`, ascending, cut as by `createPageCut`: do not fetch what does not fit. */
  selectEvents(
    ordinal: number,
    page: Pick<ReadQuery, "since" | "limit" | "maxBytes">,
  ): Answer<readonly StoredEvent[]>;
  /** An owner's runs for the query, by descending ordinal. Through an index. Unless `withMetadata`, without a read of the metadata. */
  selectOwned(query: ListQuery): Answer<readonly RunRecord[]>;
  /** The ids of runs whose time is at or before `untilMs`, the earliest first. A time of `null` is never due. Through an index. */
  selectDue(time: DueTime, untilMs: number, limit: number): Answer<readonly string[]>;
  /**
   * Live runs without a lease in this status whose `idleFromMs` is at or before `untilMs`, the earliest first. Through an index that has
   * no other runs.
   */
  selectIdle(
    runStatus: LiveStatus,
    untilMs: number,
    limit: number,
  ): Answer<readonly (IdleRun & Pick<RunRecord, "runId">)[]>;
  /**
   * Creates a run.
   * @param exclusive whether the run may be its owner's only live one of its topic that was created like this. Where transactions
   * run at the same time, a unique index of such runs that have not finished, by owner and topic, refuses a second one
   * @returns its ordinal, larger than every ordinal before; `null` if another transaction has just created a run of that id, or an
   * exclusive one of that topic
   */
  insertRun(run: NewRun, exclusive: boolean): Answer<number | null>;
  /**
   * Inserts up to 1,000 rows. Their payloads have up to 1,048,576 UTF-16 units together, unless it is one row. So one
   * statement takes them. A larger append gets more calls.
   */
  insertEvents(events: readonly EventRow[]): Answer<void>;
  /** Inserts rows, as many as `insertEvents` gets. Their phases are as long as its payloads at most. */
  insertReceipts(receipts: readonly ReceiptRow[]): Answer<void>;
  /** Saves locked heads, by their ordinals. All but the run's id, owner, metadata and time of creation may have changed. */
  saveHeads(moved: readonly MovedHead<HeadRow>[]): Answer<void>;
  /** Removes runs that were locked, with their events and receipts. */
  deleteRuns(ordinals: readonly number[]): Answer<void>;
  /**
   * Writes something small that the commit makes as durable as an append, and leaves nothing. It touches no row of a run, and no row
   * of another probe, so that probes do not wait for each other. So insert a row, and delete it by its id.
   */
  writeProbe(): Answer<void>;
}

/**
 * How a transaction is isolated. `plain`: each read may see another instant, so no transaction is needed. `snapshot`: all reads see
 * one instant. `write`: all writes commit together, and heads are locked.
 */
export type TransactionMode = "plain" | "snapshot" | "write";

/** The work of one call of a store in a transaction: one move after another. It answers at once if all moves do. */
export type RowWork<T> = (rows: RowMoves) => Answer<T>;

/** Runs the work in a transaction. Its errors go to the caller of the store, so they are `RunEventsError`s. */
export type Transact = <T>(mode: TransactionMode, work: RowWork<T>) => Promise<T>;

/**
 * Does work on rows that answer at once, in one synchronous block.
 * @throws TypeError if a move has answered with a promise
 */
export function workNow<T>(work: RowWork<T>, rows: RowMoves): T {
  const answer = work(rows);
  if (isLater(answer)) {
    throw new TypeError(
      "Expected each move to answer at once, got a promise. Await the work: `await work(rows)`.",
    );
  }
  return answer;
}
