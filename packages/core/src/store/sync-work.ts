import { type Plain, type PlainLanding, takePlain } from "../rules/append-rule.ts";
import type { Seen } from "../rules/decision.ts";
import type { NewEvent } from "../rules/event.ts";
import { type Head, nameKey, type RunName } from "../rules/head.ts";
import type { KeptReceipt } from "../rules/judge-append.ts";
import type { Change, ReadQuery, ReadResult } from "./store.ts";
import type { EventRow, ReceiptRow, SyncRows } from "./sync-rows.ts";

/** A commit on a run, for the notifications. */
export interface Committed extends RunName {
  /** The run's last sequence then; `null` if the run was created or removed. */
  readonly lastSequence: number | null;
  readonly ordinal: number;
}

/** The commit of a change of a run, to notify of; `null` if nothing changed but the head. */
export function committedOf(before: Head | null, after: Head | null): Committed | null {
  const run = after ?? before;
  if (run === null) return null;
  if (before === null || after === null) return { ...run, lastSequence: null };
  return after.lastSequence > before.lastSequence ? after : null;
}

/** Commits plain appends and renewals, in one transaction. */
export function appendPlains(
  rows: SyncRows,
  plains: readonly Plain[],
): {
  readonly answers: readonly (PlainLanding | null)[];
  readonly committed: readonly Committed[];
} {
  const nowMs = rows.now();
  const heads = findHeads(rows, plains);
  const undecided = new Set<string>();
  /** The heads that move, and whether they get events. */
  const moved = new Map<string, boolean>();
  const events: EventRow[] = [];
  const receipts: ReceiptRow[] = [];
  const keys = new Set<string>();

  function appendOne(plain: Plain): PlainLanding | null {
    const name = nameKey(plain);
    const head = heads.get(name) ?? null;
    const taken = undecided.has(name) ? null : takePlain(head, plain, nowMs);
    if (head === null || taken === null || !isNewKey(head, plain)) {
      undecided.add(name);
      return null;
    }
    const { after, landing } = taken;
    const { idempotencyKey } = plain;
    addEvents(events, head, after, plain.events);
    if (idempotencyKey !== null) {
      receipts.push({ ordinal: head.ordinal, idempotencyKey, ...landing });
    }
    heads.set(name, after);
    moved.set(name, plain.events.length > 0 || moved.get(name) === true);
    return landing;
  }

  function isNewKey({ ordinal }: Head, { idempotencyKey }: Plain): boolean {
    if (idempotencyKey === null) return true;
    const key = `${ordinal} ${idempotencyKey}`;
    if (keys.has(key) || rows.selectReceipts(ordinal, [idempotencyKey]).length > 0) return false;
    keys.add(key);
    return true;
  }

  const answers = plains.map(appendOne);
  if (events.length > 0) rows.insertEvents(events);
  if (receipts.length > 0) rows.insertReceipts(receipts);
  const committed: Head[] = [];
  for (const [name, hasEvents] of moved) {
    const head = heads.get(name);
    if (head === undefined) continue;
    rows.advanceHead(head);
    if (hasEvents) committed.push(head);
  }
  return { answers, committed };
}

/** The outcome of one change. */
export interface ChangedRun<Answer> {
  readonly answer: Answer;
  /** `null` if there is nothing to notify of. */
  readonly committed: Committed | null;
  /** The number of events that were removed with the run; `null` if it was not removed. */
  readonly removedEvents: number | null;
}

/** Sees, decides and writes one change, in a transaction. */
export function changeRun<Answer>(rows: SyncRows, change: Change<Answer>): ChangedRun<Answer> {
  const [before = null] = rows.selectHeads([change]);
  const { answer, after, events = [], receipts = [] } = change.decide(see(rows, change, before));
  if (after === undefined) return { answer, committed: null, removedEvents: null };
  const committed = committedOf(before, after);
  if (after === null) {
    if (before !== null) rows.deleteRun(before.ordinal);
    return { answer, committed, removedEvents: before?.lastSequence ?? null };
  }
  if (before === null) rows.insertRun(after);
  else rows.saveHead(after);
  const { ordinal } = after;
  const inserted: EventRow[] = [];
  addEvents(inserted, before, after, events);
  if (inserted.length > 0) rows.insertEvents(inserted);
  if (receipts.length > 0) rows.insertReceipts(receipts.map((one) => ({ ...one, ordinal })));
  return { answer, committed, removedEvents: null };
}

/** Reads runs, in one snapshot. */
export function readRuns(
  rows: SyncRows,
  queries: readonly ReadQuery[],
): readonly (ReadResult | null)[] {
  const heads = findHeads(rows, queries);
  return queries.map((query) => {
    const head = heads.get(nameKey(query));
    if (head === undefined) return null;
    const { since, limit, wantsMetadata = false } = query;
    const events =
      limit > 0 && since < head.lastSequence ? rows.selectEvents(head.ordinal, query) : [];
    const metadata = wantsMetadata ? { metadata: rows.selectMetadata(head.ordinal) } : {};
    return { head: { ...head, ...metadata }, events };
  });
}

function findHeads(rows: SyncRows, names: readonly RunName[]): Map<string, Head> {
  const distinct = new Map<string, RunName>();
  for (const name of names) distinct.set(nameKey(name), name);
  const heads = new Map<string, Head>();
  for (const head of rows.selectHeads([...distinct.values()])) heads.set(nameKey(head), head);
  return heads;
}

/** The state that a decision sees. */
function see(rows: SyncRows, change: Change<unknown>, head: Head | null): Seen {
  const { ownerId, keys = [], topic = null, wantsMetadata = false } = change;
  const metadata =
    wantsMetadata && head !== null ? { metadata: rows.selectMetadata(head.ordinal) } : {};
  return {
    head: head === null ? null : { ...head, ...metadata },
    receipts: head === null || keys.length === 0 ? NO_RECEIPTS : seeReceipts(rows, head, keys),
    holder: topic === null || head !== null ? null : rows.selectHolder(ownerId, topic),
    nowMs: rows.now(),
    ordinal: head === null ? rows.nextOrdinal() : head.ordinal,
  };
}

const NO_RECEIPTS: ReadonlyMap<string, KeptReceipt> = new Map();

function seeReceipts(
  rows: SyncRows,
  { ordinal }: Head,
  keys: readonly string[],
): ReadonlyMap<string, KeptReceipt> {
  const found = rows.selectReceipts(ordinal, keys).map((receipt): [string, KeptReceipt] => {
    const { firstSequence, lastSequence } = receipt;
    const limit = lastSequence - firstSequence + 1;
    const page = { since: firstSequence - 1, limit, maxBytes: Number.MAX_SAFE_INTEGER };
    return [receipt.idempotencyKey, { ...receipt, events: rows.selectEvents(ordinal, page) }];
  });
  return new Map(found);
}

function addEvents(
  rows: EventRow[],
  before: Head | null,
  { ordinal, updatedAtMs: createdAtMs }: Head,
  events: readonly NewEvent[],
): void {
  let sequence = before?.lastSequence ?? 0;
  for (const { eventType, payload } of events) {
    sequence += 1;
    rows.push({ ordinal, sequence, eventType, payload, createdAtMs });
  }
}
