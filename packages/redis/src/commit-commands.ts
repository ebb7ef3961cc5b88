import { type Commit, dueKindOf, type Head, nameKey, type Seen } from "@tm/run-events-core/store";
import { chunksOf } from "./chunks.ts";
import { encodeHead } from "./head-text.ts";
import type { Keys } from "./keys.ts";
import { encodeReceipt } from "./receipt-text.ts";

/** A run as it was seen, with what only its commit needs. */
export interface SeenRun extends Seen {
  readonly hasReceipts: boolean;
  /** The newest run of each of the topic's lists of live runs; empty without a topic. */
  readonly newest: readonly string[];
}

/** A command of a commit's script. */
export type Command = readonly [name: string, key: string, ...values: string[]];

/** A comparison: the command's answer must be equal to a value, or less. */
export interface Check {
  readonly how: "=" | "<";
  readonly value: string;
  readonly command: Command;
}

/** The number of receipts that one command writes, since Lua passes it on its stack. */
const RECEIPTS_AT_ONCE = 100;

/**
 * The checks for a run that is created, besides its own version: its ordinal is above those of its bucket, so that runs are listed
 * in the order of their commits, and the topic's live runs are those that were seen.
 */
export function checksOf(
  keys: Keys,
  { change, seen, decision: { after } }: Commit<SeenRun>,
): readonly Check[] {
  if (seen.head !== null || after === null) return [];
  const { ownerId, topic = null } = change;
  const command: Command = ["GET", keys.ordinal(keys.bucketOf(ownerId))];
  const ordinal: Check = { how: "<", value: String(after.ordinal), command };
  if (topic === null) return [ordinal];
  const lists = keys.lists(ownerId, topic, "live");
  return [
    ordinal,
    ...lists.map((key, at): Check => {
      return { how: "=", value: seen.newest[at] ?? "", command: ["ZRANGE", key, "0", "0", "REV"] };
    }),
  ];
}

/** The commands of a commit. Events come first, since they alone may be refused, and the head last. */
export function writesOf(
  keys: Keys,
  { change, seen, decision }: Commit<SeenRun>,
): readonly Command[] {
  const { head: before } = seen;
  const { after, events = [], receipts = [] } = decision;
  const own = keys.ofRun(change);
  const moved = moveEntries(entriesOf(keys, before), entriesOf(keys, after));
  if (after === null) {
    const all = [own.events, own.receipts, own.metadata, own.head];
    // The server frees a long log in the background.
    return [...moved, ...all.map((key): Command => ["UNLINK", key])];
  }
  const from = (before?.lastSequence ?? 0) + 1;
  const time = String(after.updatedAtMs);
  const texts = receipts.map((one) => [one.idempotencyKey, encodeReceipt(one)]);
  const stored = { head: after, hasReceipts: seen.hasReceipts || receipts.length > 0 };
  const isNew = before === null;
  return [
    ...events.map(({ eventType, payload }, at): Command => {
      // A log that has events has its key still, or it was lost.
      const mustExist = from + at === 1 ? [] : ["NOMKSTREAM"];
      const fields = ["t", eventType, "p", payload, "c", time];
      return ["XADD", own.events, ...mustExist, `${from + at}-0`, ...fields];
    }),
    ...chunksOf(texts, RECEIPTS_AT_ONCE).map((some): Command => [
      "HSET",
      own.receipts,
      ...some.flat(),
    ]),
    ...(isNew ? creationOf(keys, after) : []),
    ...moved,
    ["SET", own.head, encodeHead(stored)],
  ];
}

function creationOf(keys: Keys, { ownerId, runId, ordinal, metadata = "" }: Head): Command[] {
  const key = keys.ofRun({ ownerId, runId }).metadata;
  return [
    ["SET", key, metadata],
    ["SET", keys.ordinal(keys.bucketOf(ownerId)), String(ordinal)],
  ];
}

/** An entry of a sorted set. */
interface Entry {
  readonly member: string;
  readonly score: number;
}

/** The entries that a run has, by the keys of their sets: in its owner's list, in its topic's, and in that of what it waits for. */
function entriesOf(keys: Keys, head: Head | null): ReadonlyMap<string, Entry> {
  if (head === null) return new Map();
  const { ownerId, runId, runStatus, topic, ordinal, dueMs } = head;
  const listed = { member: runId, score: ordinal };
  const lists = [...new Set([null, topic])].flatMap((of) => keys.lists(ownerId, of, runStatus));
  const due = keys.due(keys.bucketOf(ownerId), dueKindOf(head));
  return new Map<string, Entry>([
    ...lists.map((key): [string, Entry] => [key, listed]),
    [due, { member: nameKey(head), score: dueMs }],
  ]);
}

function moveEntries(
  before: ReadonlyMap<string, Entry>,
  after: ReadonlyMap<string, Entry>,
): readonly Command[] {
  return [
    ...[...before].flatMap(([key, { member }]): Command[] =>
      after.has(key) ? [] : [["ZREM", key, member]],
    ),
    ...[...after].flatMap(([key, { member, score }]): Command[] =>
      before.get(key)?.score === score ? [] : [["ZADD", key, String(score), member]],
    ),
  ];
}
