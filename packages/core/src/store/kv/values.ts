import type { AppendLanding } from "../../rules/append.ts";
import type { NewEvent, StoredEvent } from "../../rules/event.ts";
import type { Head } from "../../rules/head.ts";
import { chunkKey } from "./keys.ts";
import type { KvEntry, KvPair } from "./engine.ts";

/** The number of characters of payloads that a chunk of the log has at most, unless it has one event. */
const MOST_CHUNK = 65_536;

export function encodeHead(head: Head): string {
  return JSON.stringify({ ...head, metadata: undefined });
}

export function parseHead(value: string): Head {
  return JSON.parse(value) as Head;
}

/** A receipt without its key. */
export function encodeReceipt(receipt: AppendLanding): string {
  const { firstSequence, lastSequence, runStatus, phase } = receipt;
  return JSON.stringify({ firstSequence, lastSequence, runStatus, phase });
}

export function parseReceipt(value: string): AppendLanding {
  return JSON.parse(value) as AppendLanding;
}

/** The chunks of the log for events of one time: several events share one, so that a page is read in few entries. */
export function encodeChunks(
  path: string,
  events: readonly NewEvent[],
  from: number,
  createdAtMs: number,
): readonly KvPair[] {
  const chunks: KvPair[] = [];
  let chunk = "";
  events.forEach(({ eventType, payload }, at) => {
    chunk += `${eventType} ${payload.length} ${payload}`;
    const next = events[at + 1];
    if (next !== undefined && chunk.length + next.payload.length <= MOST_CHUNK) return;
    chunks.push({ key: chunkKey(path, from + at), value: `${createdAtMs} ${chunk}` });
    chunk = "";
  });
  return chunks;
}

/** The events of a chunk. Its key has the sequence of the last one. */
export function parseChunk(value: string, lastSequence: number): readonly StoredEvent[] {
  const events: Omit<StoredEvent, "sequence">[] = [];
  let at = value.indexOf(" ") + 1;
  const createdAtMs = Number(value.slice(0, at));
  while (at < value.length) {
    const type = value.indexOf(" ", at);
    const length = value.indexOf(" ", type + 1);
    const end = length + 1 + Number(value.slice(type + 1, length));
    events.push({
      eventType: value.slice(at, type),
      payload: value.slice(length + 1, end),
      createdAtMs,
    });
    at = end;
  }
  const from = lastSequence - events.length + 1;
  return events.map((event, index) => ({ sequence: from + index, ...event }));
}

/** The last part of an entry's key. */
export function lastPart({ key }: KvEntry): string {
  return key.slice(key.lastIndexOf("/") + 1);
}
