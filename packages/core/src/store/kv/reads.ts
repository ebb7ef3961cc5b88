import type { Head, RunName } from "../../rules/head.ts";
import type { StoredEvent } from "../../rules/event.ts";
import { utf8Bytes } from "../../rules/json-text.ts";
import { isListed } from "../../rules/listed.ts";
import { isTerminal } from "../../rules/lifecycle.ts";
import { createPageCut } from "../../rules/page.ts";
import type { DueQuery, OwnerQuery, ReadQuery, ReadResult } from "../store.ts";
import type { KvEntry, KvSnapshot } from "./engine.ts";
import * as keys from "./keys.ts";
import { lastPart, parseChunk, parseHead } from "./values.ts";

/** The number of entries that one scan asks for at most. */
const MOST_ENTRIES = 100;

/** A run's head and its text, by which a commit checks it; `null` for a run that does not exist. */
export interface FoundHead {
  readonly id: string;
  readonly text: string | null;
  readonly head: Head | null;
}

/** The heads of runs, in their order. */
export async function readHeads(
  snapshot: KvSnapshot,
  names: readonly RunName[],
): Promise<readonly FoundHead[]> {
  const ids = names.map(keys.idOf);
  const texts = await snapshot.get(ids.map(keys.headKey));
  return ids.map((id, at) => {
    const text = texts[at] ?? null;
    return { id, text, head: text === null ? null : parseHead(text) };
  });
}

/** A run's events after `since`, cut as the query says. */
export async function readEvents(
  snapshot: KvSnapshot,
  path: string,
  { since, limit, maxBytes }: Pick<ReadQuery, "since" | "limit" | "maxBytes">,
): Promise<readonly StoredEvent[]> {
  const belongs = createPageCut(limit, maxBytes);
  const events: StoredEvent[] = [];
  const { to } = keys.under(`${path}/log`);
  for (let last = since; ;) {
    const most = Math.min(limit - events.length, MOST_ENTRIES);
    const from = keys.chunkKey(path, last + 1);
    const entries = await snapshot.scan({ from, to, limit: most, reverse: false });
    for (const entry of entries) {
      last = keys.parseNumber(lastPart(entry));
      for (const event of parseChunk(entry.value, last)) {
        if (event.sequence <= since) continue;
        if (!belongs(utf8Bytes(event.payload))) return events;
        events.push(event);
      }
    }
    if (entries.length < most || events.length >= limit) return events;
  }
}

/** The contract's `read`. */
export async function readRuns(
  snapshot: KvSnapshot,
  queries: readonly ReadQuery[],
): Promise<readonly (ReadResult | null)[]> {
  const heads = await readHeads(snapshot, queries);
  return Promise.all(
    queries.map(async (query, at) => {
      const { id = "", head = null } = heads[at] ?? {};
      if (head === null) return null;
      const path = keys.runPath(id, head.ordinal);
      const hasMore = query.limit > 0 && query.since < head.lastSequence;
      const [events, found] = await Promise.all([
        hasMore ? readEvents(snapshot, path, query) : [],
        query.wantsMetadata === true ? readMetadata(snapshot, path) : {},
      ]);
      return { head: { ...head, ...found }, events };
    }),
  );
}

/** A run's metadata, as a member of its head. */
export async function readMetadata(
  snapshot: KvSnapshot,
  path: string,
): Promise<Pick<Head, "metadata">> {
  const [metadata] = await snapshot.get([keys.metadataKey(path)]);
  return { metadata: metadata ?? "null" };
}

/** The contract's `list` of an owner. A status of live runs is looked for among the live ones, any other among all. */
export async function listOwned(snapshot: KvSnapshot, query: OwnerQuery): Promise<readonly Head[]> {
  const { ownerId, runStatus, before, limit } = query;
  const owner = keys.partOf(ownerId);
  const topic = query.topic === null ? null : keys.partOf(query.topic);
  const isLive = runStatus === "live" || (runStatus !== null && !isTerminal(runStatus));
  const path = keys.listPath(isLive ? "live" : "all", owner, topic);
  const { from, to } = keys.under(path);
  const listed: Head[] = [];
  for (let end = before === null ? to : `${path}/${keys.numberPart(before)}`; ;) {
    const entries = await snapshot.scan({ from, to: end, limit: MOST_ENTRIES, reverse: true });
    listed.push(...(await headsOf(snapshot, entries)).filter((head) => isListed(head, query)));
    const last = entries.at(-1);
    if (listed.length >= limit || last === undefined) return listed.slice(0, limit);
    end = last.key;
  }
}

/** The contract's `list` of due runs. */
export async function listDue(
  snapshot: KvSnapshot,
  { due, limit }: Pick<DueQuery, "due" | "limit">,
  untilMs: number,
): Promise<readonly Head[]> {
  if (untilMs < 0) return [];
  const path = keys.duePath(due);
  const { from } = keys.under(path);
  // The number after it, since there are keys under the last one.
  const to = `${path}/${keys.numberPart(untilMs + 1)}`;
  return headsOf(snapshot, await snapshot.scan({ from, to, limit, reverse: false }));
}

/** The heads of the runs whose ids are the values of entries. */
async function headsOf(
  snapshot: KvSnapshot,
  entries: readonly KvEntry[],
): Promise<readonly Head[]> {
  const texts = await snapshot.get(entries.map(({ value }) => keys.headKey(value)));
  return texts.flatMap((text) => (text === null ? [] : parseHead(text)));
}
