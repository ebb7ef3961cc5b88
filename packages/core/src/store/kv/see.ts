import type { Seen } from "../../rules/decision.ts";
import type { Head, RunName } from "../../rules/head.ts";
import type { KeptReceipt } from "../../rules/judge-append.ts";
import { isTerminal } from "../../rules/lifecycle.ts";
import type { Change } from "../store.ts";
import type { KvEntry, KvPair, KvSnapshot } from "./engine.ts";
import * as keys from "./keys.ts";
import { type FoundHead, readEvents, readHeads, readMetadata } from "./reads.ts";
import { numberOf, parseReceipt } from "./values.ts";

/** The state that a decision sees, and the checks that it is still so at the commit. */
export interface SeenRun extends Seen {
  readonly id: string;
  readonly checks: readonly KvPair[];
  /** The place of the topic of a finished run, with which it may be removed. */
  readonly place: KvPair | null;
}

/** Gives out an ordinal, above the one of the owner's newest run. */
export type Ordinals = (newest: number, nowMs: number) => number;

/**
 * Makes the ordinals that one process gives out. They begin with the time, so that one that was removed does not come back, and end with random
 * digits, so that processes that create runs at the same time rarely take the same.
 */
export function createOrdinals(): Ordinals {
  let last = 0;
  return (newest, nowMs) => {
    last = Math.max(last + 1, newest + 1, nowMs * 1_000 + Math.floor(Math.random() * 1_000));
    return last;
  };
}

/** Sees what the decisions of changes need, in their order. @param nowMs the store's clock */
export async function seeRuns(
  snapshot: KvSnapshot,
  changes: readonly Change<unknown>[],
  nowMs: number,
  ordinals: Ordinals,
): Promise<readonly SeenRun[]> {
  const heads = await readHeads(snapshot, changes);
  const seen = await Promise.all(
    changes.map(async (change, at) => {
      const { id = "", text = null, head = null } = heads[at] ?? {};
      return head === null
        ? seeNone(snapshot, change, id, nowMs)
        : seeHead(snapshot, change, { id, text, head }, nowMs);
    }),
  );
  // In the order of the changes.
  return seen.map((one) =>
    one.head === null ? { ...one, ordinal: ordinals(one.ordinal, nowMs) } : one,
  );
}

async function seeHead(
  snapshot: KvSnapshot,
  { keys: idempotencyKeys = [], wantsMetadata = false }: Change<unknown>,
  { id, text, head }: FoundHead & { readonly head: Head },
  nowMs: number,
): Promise<SeenRun> {
  const path = keys.runPath(id, head.ordinal);
  const placed = isTerminal(head.runStatus) ? head.topic : null;
  const [receipts, metadata, place] = await Promise.all([
    seeReceipts(snapshot, path, idempotencyKeys),
    wantsMetadata ? readMetadata(snapshot, path) : {},
    placed === null ? null : seePlace(snapshot, id, placed),
  ]);
  return {
    id,
    place,
    checks: [{ key: keys.headKey(id), value: text }],
    head: { ...head, ...metadata },
    receipts,
    holder: null,
    nowMs,
    ordinal: head.ordinal,
  };
}

/** The receipts of those keys that a run has. */
async function seeReceipts(
  snapshot: KvSnapshot,
  path: string,
  idempotencyKeys: readonly string[],
): Promise<ReadonlyMap<string, KeptReceipt>> {
  if (idempotencyKeys.length === 0) return new Map();
  const texts = await snapshot.get(idempotencyKeys.map((key) => keys.receiptKey(path, key)));
  const found = await Promise.all(
    texts.map(async (text, at): Promise<[string, KeptReceipt] | null> => {
      if (text === null) return null;
      const receipt = parseReceipt(text);
      const since = receipt.firstSequence - 1;
      const limit = receipt.lastSequence - since;
      const page = { since, limit, maxBytes: Number.MAX_SAFE_INTEGER };
      const events = await readEvents(snapshot, path, page);
      return [idempotencyKeys[at] ?? "", { ...receipt, events }];
    }),
  );
  return new Map(found.filter((one) => one !== null));
}

/** Sees what the creation of a run needs. Its ordinal is still that of the owner's newest run. */
async function seeNone(
  snapshot: KvSnapshot,
  { ownerId, topic = null }: Change<unknown>,
  id: string,
  nowMs: number,
): Promise<SeenRun> {
  const owner = keys.ownerOf(id);
  const [newest, held] = await Promise.all([
    newestOf(snapshot, keys.listPath("all", owner, null)),
    topic === null ? null : seeHolder(snapshot, id, topic, ownerId),
  ]);
  return {
    id,
    place: null,
    checks: [{ key: keys.headKey(id), value: null }, ...(held?.checks ?? [])],
    head: null,
    receipts: new Map(),
    holder: held?.holder ?? null,
    nowMs,
    ordinal: newest === null ? 0 : numberOf(newest),
  };
}

/** A topic's holder. Only a creation can put another in its place, and its end moves its entry. */
async function seeHolder(
  snapshot: KvSnapshot,
  id: string,
  topic: string,
  ownerId: string,
): Promise<{ readonly holder: RunName | null; readonly checks: readonly KvPair[] }> {
  const owner = keys.ownerOf(id);
  const [newest, place] = await Promise.all([
    newestOf(snapshot, keys.listPath("live", owner, keys.partOf(topic))),
    seePlace(snapshot, id, topic),
  ]);
  if (newest === null) return { holder: null, checks: [place] };
  const runId = newest.value.slice(owner.length + 1);
  return { holder: { ownerId, runId }, checks: [place, newest] };
}

async function seePlace(snapshot: KvSnapshot, id: string, topic: string): Promise<KvPair> {
  const key = keys.placeKey(keys.ownerOf(id), keys.partOf(topic));
  const [value = null] = await snapshot.get([key]);
  return { key, value };
}

/** The last entry of a list of runs. */
async function newestOf(snapshot: KvSnapshot, path: string): Promise<KvEntry | null> {
  const [entry = null] = await snapshot.scan({ ...keys.under(path), limit: 1, reverse: true });
  return entry;
}
