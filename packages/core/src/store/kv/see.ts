import type { Seen } from "../../rules/decision.ts";
import type { Head, RunName } from "../../rules/head.ts";
import type { KeptReceipt } from "../../rules/judge-append.ts";
import type { Change } from "../store.ts";
import type { KvPair, KvSnapshot } from "./engine.ts";
import * as keys from "./keys.ts";
import { type FoundHead, readEvents, readHeads, readMetadata } from "./reads.ts";
import { lastPart, parseReceipt } from "./values.ts";

/** The state that a decision sees, and the checks that it is still so at the commit. */
export interface SeenRun extends Seen {
  readonly id: string;
  readonly checks: readonly KvPair[];
}

/** The ordinals of creations have gaps, so that processes that create runs of one owner at the same time rarely take the same. */
const MOST_GAP = 16;

/** Sees what the decisions of changes need, in their order. @param nowMs the store's clock */
export async function seeRuns(
  snapshot: KvSnapshot,
  changes: readonly Change<unknown>[],
  nowMs: number,
): Promise<readonly SeenRun[]> {
  const heads = await readHeads(snapshot, changes);
  // Once for all creations of an owner. They take ordinals one after the other, in the order of the changes.
  const creating = new Map<string, Promise<OwnerSeen>>();
  return Promise.all(
    changes.map(async (change, at) => {
      const { id = "", text = null, head = null } = heads[at] ?? {};
      if (head !== null) return seeHead(snapshot, change, { id, text, head }, nowMs);
      const owner = keys.ownerOf(id);
      const seen = creating.get(owner) ?? seeOwner(snapshot, owner);
      creating.set(owner, seen);
      return seeNone(snapshot, change, id, nowMs, await seen);
    }),
  );
}

async function seeHead(
  snapshot: KvSnapshot,
  { keys: idempotencyKeys = [], wantsMetadata = false }: Change<unknown>,
  { id, text, head }: FoundHead & { readonly head: Head },
  nowMs: number,
): Promise<SeenRun> {
  const path = keys.runPath(id, head.ordinal);
  const [receipts, metadata] = await Promise.all([
    seeReceipts(snapshot, path, idempotencyKeys),
    wantsMetadata ? readMetadata(snapshot, path) : {},
  ]);
  return {
    id,
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

/** The state that creations of an owner's runs need. */
interface OwnerSeen {
  nextOrdinal(): number;
  readonly floor: KvPair;
}

async function seeOwner(snapshot: KvSnapshot, owner: string): Promise<OwnerSeen> {
  const key = keys.floorKey(owner);
  const [newest, [value = null]] = await Promise.all([
    newestOf(snapshot, keys.listPath("all", owner, null)),
    snapshot.get([key]),
  ]);
  const gap = Math.floor(Math.random() * MOST_GAP);
  let ordinal = Math.max(newest?.ordinal ?? 0, Number(value ?? 0)) + gap;
  return { nextOrdinal: () => (ordinal += 1), floor: { key, value } };
}

/** Sees what the creation of a run needs. */
async function seeNone(
  snapshot: KvSnapshot,
  { ownerId, topic = null }: Change<unknown>,
  id: string,
  nowMs: number,
  { nextOrdinal, floor }: OwnerSeen,
): Promise<SeenRun> {
  const ordinal = nextOrdinal();
  const owner = keys.ownerOf(id);
  const held =
    topic === null ? null : await seeHolder(snapshot, owner, keys.partOf(topic), ownerId);
  return {
    id,
    checks: [{ key: keys.headKey(id), value: null }, floor, ...(held?.checks ?? [])],
    head: null,
    receipts: new Map(),
    holder: held?.holder ?? null,
    nowMs,
    ordinal,
  };
}

/** A topic's holder. Only a creation can put another in its place, and its end moves its entry. */
async function seeHolder(
  snapshot: KvSnapshot,
  owner: string,
  topic: string,
  ownerId: string,
): Promise<{ readonly holder: RunName | null; readonly checks: readonly KvPair[] }> {
  const place = keys.placeKey(owner, topic);
  const [newest, [value = null]] = await Promise.all([
    newestOf(snapshot, keys.listPath("live", owner, topic)),
    snapshot.get([place]),
  ]);
  if (newest === null) return { holder: null, checks: [{ key: place, value }] };
  const runId = newest.value.slice(owner.length + 1);
  return { holder: { ownerId, runId }, checks: [{ key: place, value }, newest] };
}

/** The last entry of a list of runs. */
export async function newestOf(
  snapshot: KvSnapshot,
  path: string,
): Promise<{ readonly key: string; readonly value: string; readonly ordinal: number } | null> {
  const [entry] = await snapshot.scan({ ...keys.under(path), limit: 1, reverse: true });
  return entry === undefined ? null : { ...entry, ordinal: keys.parseNumber(lastPart(entry)) };
}
