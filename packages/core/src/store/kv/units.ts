import type { Decision } from "../../rules/decision.ts";
import type { Head } from "../../rules/head.ts";
import { isTerminal } from "../../rules/lifecycle.ts";
import type { Unit } from "./commits.ts";
import type { KvPair, KvSnapshot } from "./engine.ts";
import * as keys from "./keys.ts";
import { newestOf, type SeenRun } from "./see.ts";
import { encodeChunks, encodeHead, encodeReceipt } from "./values.ts";

/** The unit of a decision that saves or creates a run: the lists and the index of due runs move with the head. */
export function savingUnit(
  { id, head: before, checks }: SeenRun,
  { events = [], receipts = [] }: Decision<unknown>,
  after: Head,
): Unit {
  const path = keys.runPath(id, after.ordinal);
  const from = (before?.lastSequence ?? 0) + 1;
  const kept = receipts.map((receipt) => ({
    key: keys.receiptKey(path, receipt.idempotencyKey),
    value: encodeReceipt(receipt),
  }));
  const writes: KvPair[] = [
    { key: keys.headKey(id), value: encodeHead(after) },
    ...encodeChunks(path, events, from, after.updatedAtMs),
    ...kept,
  ];
  // New: the decision may not have seen whether the run has the key.
  const absent = kept.map(({ key }) => ({ key, value: null }));
  const lists = listsOf(id, after);
  if (before === null) {
    // Another creation may have taken the ordinal.
    absent.push(...lists.all.slice(0, 1).map((key) => ({ key, value: null })));
    writes.push({ key: keys.metadataKey(path), value: after.metadata ?? "null" });
    for (const key of lists.all) writes.push({ key, value: id });
    if (lists.place !== null) writes.push({ key: lists.place, value: String(after.ordinal) });
  }
  writes.push(...indexWrites(id, before, after, lists.live));
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

/** The state that removals need, besides the heads. */
export interface RemovalsSeen {
  /** The values of the places of the runs' topics, by the runs' ids. */
  readonly places: ReadonlyMap<string, string | null>;
  /** The floors of ordinals that have to be raised first, unless they are high enough. */
  readonly raises: readonly Unit[];
}

/** Sees what removals need. */
export async function seeRemovals(
  snapshot: KvSnapshot,
  removed: readonly { readonly id: string; readonly head: Head }[],
): Promise<RemovalsSeen> {
  const largest = new Map<string, number>();
  for (const { id, head } of removed) {
    const owner = keys.ownerOf(id);
    largest.set(owner, Math.max(head.ordinal, largest.get(owner) ?? 0));
  }
  const floors = [...largest.keys()].map(keys.floorKey);
  const placeKeys = removed.map(({ id, head }) => listsOf(id, head).place ?? keys.PROBE);
  const values = await snapshot.get([...floors, ...placeKeys]);
  const raises = await Promise.all(
    [...largest].map(async ([owner, ordinal], at) => {
      const [key = "", value = null] = [floors[at], values[at]];
      if (Number(value ?? 0) >= ordinal) return [];
      // Above all ordinals of the owner, so that the next removals need not raise it again, which would conflict with creations.
      const newest = await newestOf(snapshot, keys.listPath("all", owner, null));
      const least = String(Math.max(ordinal, newest?.ordinal ?? 0));
      return [{ checks: [{ key, value }], writes: [{ key, value: least }] }];
    }),
  );
  const places = removed.map(({ id }, at): [string, string | null] => [
    id,
    values[floors.length + at] ?? null,
  ]);
  return { places: new Map(places), raises: raises.flat() };
}

/**
 * The unit that removes what makes a run visible. What is left, which may be more than a commit can take, is found by no call, and is removed
 * later.
 */
export function removingUnit({ id, checks }: SeenRun, head: Head, place: string | null): Unit {
  const lists = listsOf(id, head);
  const gone = [keys.headKey(id), keys.dueKey(id, head), ...lists.all];
  if (!isTerminal(head.runStatus)) gone.push(...lists.live);
  const placed = lists.place !== null && place === String(head.ordinal) ? lists.place : null;
  if (placed !== null) gone.push(placed);
  return {
    checks: placed === null ? checks : [...checks, { key: placed, value: place }],
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
