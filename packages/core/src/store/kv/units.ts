import type { Decision } from "../../rules/decision.ts";
import type { Head } from "../../rules/head.ts";
import { isTerminal } from "../../rules/lifecycle.ts";
import type { Unit } from "./commits.ts";
import type { KvPair } from "./engine.ts";
import * as keys from "./keys.ts";
import type { SeenRun } from "./see.ts";
import { encodeEvent, encodeHead, encodeReceipt } from "./values.ts";

/** The unit of a decision that saves or creates a run: the lists and the index of due runs move with the head. */
export function savingUnit(
  { id, head: before, checks }: SeenRun,
  { events = [], receipts = [] }: Decision<unknown>,
  after: Head,
): Unit {
  const path = keys.runPath(id, after.ordinal);
  const from = (before?.lastSequence ?? 0) + 1;
  const lists = listsOf(id, after);
  const writes: KvPair[] = [
    { key: keys.headKey(id), value: encodeHead(after) },
    ...events.map((event, at) => ({
      key: keys.eventKey(path, from + at),
      value: encodeEvent(event, after.updatedAtMs),
    })),
    ...receipts.map((receipt) => ({
      key: keys.receiptKey(path, receipt.idempotencyKey),
      value: encodeReceipt(receipt),
    })),
    ...indexWrites(id, before, after, lists.live),
  ];
  if (before !== null) return { checks, writes };
  writes.push({ key: keys.metadataKey(path), value: after.metadata ?? "null" });
  for (const key of lists.all) writes.push({ key, value: id });
  if (lists.place !== null) writes.push({ key: lists.place, value: String(after.ordinal) });
  // Another creation may have taken the ordinal.
  const absent = lists.all.map((key) => ({ key, value: null }));
  return { checks: [...checks, ...absent], writes };
}

/** The moves in the lists of live runs and in the index of due ones. A plain append moves nothing. */
function indexWrites(
  id: string,
  before: Head | null,
  after: Head,
  live: readonly string[],
): readonly KvPair[] {
  const writes: KvPair[] = [];
  const isLive = !isTerminal(after.runStatus);
  const wasLive = before !== null && !isTerminal(before.runStatus);
  if (isLive !== wasLive) {
    for (const key of live) writes.push({ key, value: isLive ? id : null });
  }
  const due = keys.dueKey(id, after);
  const wasDue = before === null ? null : keys.dueKey(id, before);
  if (due === wasDue) return writes;
  if (wasDue !== null) writes.push({ key: wasDue, value: null });
  return [...writes, { key: due, value: id }];
}

/**
 * The unit that removes what makes a run visible. What is left, which may be more than a commit can take, is found by no call, and is removed
 * later.
 */
export function removingUnit({ id, checks, place }: SeenRun, head: Head): Unit {
  const lists = listsOf(id, head);
  const gone = [keys.headKey(id), keys.dueKey(id, head), ...lists.all];
  if (!isTerminal(head.runStatus)) gone.push(...lists.live);
  // It names the run of the topic that was created last.
  const placed = place?.value === String(head.ordinal) ? [place] : [];
  gone.push(...placed.map(({ key }) => key));
  return {
    checks: [...checks, ...placed],
    writes: [
      ...gone.map((key) => ({ key, value: null })),
      { key: keys.remainsKey(id, head.ordinal), value: keys.runPath(id, head.ordinal) },
    ],
  };
}

function listsOf(
  id: string,
  { topic, ordinal }: Head,
): {
  readonly all: readonly string[];
  readonly live: readonly string[];
  readonly place: string | null;
} {
  const owner = keys.ownerOf(id);
  const part = topic === null ? null : keys.partOf(topic);
  const topics = part === null ? [null] : [null, part];
  const entries = (kind: "all" | "live"): readonly string[] =>
    topics.map((one) => `${keys.listPath(kind, owner, one)}/${keys.numberPart(ordinal)}`);
  return {
    all: entries("all"),
    live: entries("live"),
    place: part === null ? null : keys.placeKey(owner, part),
  };
}
