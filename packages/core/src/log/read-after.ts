import { runOf } from "../rules/head.ts";
import { eventBytes, type ReadQuery, type ReadResult } from "../rules/page.ts";
import { utf8Bytes } from "../rules/json-text.ts";
import type { ReadQuery as StoreQuery, ReadResult as StoreResult } from "../store/store.ts";

/**
 * Reads a run's log. To answer the time of the event `since` as of the same instant, it reads that event too. If the event leaves no room
 * for others, it reads once more, with that much more room.
 * @param read one read of the store
 */
export async function readAfter(
  read: (query: StoreQuery) => Promise<StoreResult | null>,
  { withTime = false, ...query }: ReadQuery,
): Promise<ReadResult | null> {
  const { since, limit, maxBytes } = query;
  if (!withTime || since === 0) {
    const result = await read(query);
    return result && { run: runOf(result.head), events: result.events, ...NO_TIME[`${withTime}`] };
  }
  const wider = { ...query, since: since - 1, limit: limit + 1 };
  const first = await read(wider);
  if (first === null) return null;
  const [known] = first.events;
  const isShort = limit > 0 && first.events.length === 1 && first.head.lastSequence > since;
  const bytes = known === undefined ? 0 : eventBytes(utf8Bytes(known.payload));
  const result = isShort ? await read({ ...wider, maxBytes: maxBytes + bytes }) : first;
  if (result === null) return null;
  const [at] = result.events;
  return {
    run: runOf(result.head),
    events: result.events.slice(1),
    timeAtSinceMs: at?.createdAtMs ?? null,
  };
}

const NO_TIME = { true: { timeAtSinceMs: null }, false: {} } as const;
