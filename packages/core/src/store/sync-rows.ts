import type { NewReceipt } from "../rules/decision.ts";
import type { StoredEvent } from "../rules/event.ts";
import type { Head, RunName } from "../rules/head.ts";
import type { DueKind } from "../rules/due.ts";
import type { OwnerQuery, ReadQuery } from "./store.ts";

/** An event as a row of the run with this ordinal. */
export interface EventRow extends StoredEvent {
  readonly ordinal: number;
}

/** A receipt as a row. */
export interface ReceiptRow extends NewReceipt {
  readonly ordinal: number;
}

/**
 * The rows of a synchronous database, inside one transaction. A method has no policy: it does what it is asked for, at once. Heads are
 * answered without metadata, and a run is known by its ordinal.
 */
export interface SyncRows {
  /** The database's clock, in whole milliseconds since 1970. */
  now(): number;
  /** The heads of the runs that exist, in any order. */
  selectHeads(names: readonly RunName[]): readonly Head[];
  selectMetadata(ordinal: number): string;
  /** The receipts that exist, in any order. */
  selectReceipts(ordinal: number, keys: readonly string[]): readonly NewReceipt[];
  /** A run's events after `since`, ascending, cut as by `createPageCut`: do not fetch what does not fit. */
  selectEvents(
    ordinal: number,
    page: Pick<ReadQuery, "since" | "limit" | "maxBytes">,
  ): readonly StoredEvent[];
  /** The owner's newest run of the topic that has not finished. Through an index. */
  selectHolder(ownerId: string, topic: string): RunName | null;
  /** Through an index. */
  selectOwned(query: OwnerQuery): readonly Head[];
  /** The runs whose `dueMs` is at or before `untilMs`, the earliest first. Through an index. */
  selectDue(due: DueKind, untilMs: number, limit: number): readonly Head[];
  /** An ordinal above all that were ever given out. */
  nextOrdinal(): number;
  /** Creates a run with the ordinal and the metadata of its head. */
  insertRun(head: Head): void;
  insertEvents(events: readonly EventRow[]): void;
  insertReceipts(receipts: readonly ReceiptRow[]): void;
  /** Saves what a plain append or renewal may change: `revision`, `lastSequence`, `updatedAtMs`, `phase` and `leaseExpiresAtMs`. */
  advanceHead(head: Head): void;
  /** Saves all that a change may change: neither the run's name, its topic, `exclusive` nor its metadata. */
  saveHead(head: Head): void;
  /** Removes a run with its events and receipts. */
  deleteRun(ordinal: number): void;
  /** Writes something small that the commit makes as durable as an append, and leaves nothing. */
  writeProbe(): void;
}
