import { runOf } from "../rules/head.ts";
import type { ReadQuery, ReadResult } from "../rules/page.ts";
import type { ReadQuery as StoreQuery, ReadResult as StoreResult } from "../store/store.ts";

/**
 * Reads a run's log. To answer the time of the event `since` as of the same instant, it reads that event too. If the event leaves no room
 * for the next one, it reads the others by themselves, and then the event again: if it is the same before and after, it was there meanwhile.
 * @param read one read of the store
 */
export async function readAfter(
  read: (query: StoreQuery) => Promise<StoreResult | null>,
  { withTime = false, ...query }: ReadQuery,
): Promise<ReadResult | null> {
  const { since, limit } = query;
  if (!withTime || since === 0) {
    const result = await read(query);
    return result && { run: runOf(result.head), events: result.events, ...NO_TIME[`${withTime}`] };
  }
  const known = { ...query, since: since - 1 };
  const first = await read({ ...known, limit: limit + 1 });
  if (first === null) return null;
  const isShort = limit > 0 && first.events.length === 1 && first.head.lastSequence > since;
  const timeAtSinceMs = timeOfFirst(first);
  if (!isShort) return { run: runOf(first.head), events: first.events.slice(1), timeAtSinceMs };
  const others = await read(query);
  const again = others && (await read({ ...known, limit: 1 }));
  if (others === null || again === null) return null;
  const isThere = timeOfFirst(again) === timeAtSinceMs;
  const { head, events } = others;
  return { run: runOf(head), events, timeAtSinceMs: isThere ? timeAtSinceMs : null };
}

function timeOfFirst({ events: [first] }: StoreResult): number | null {
  return first?.createdAtMs ?? null;
}

const NO_TIME = { true: { timeAtSinceMs: null }, false: {} } as const;
