import type { AppendLanding } from "../../rules/append.ts";
import type { NewEvent, StoredEvent } from "../../rules/event.ts";
import type { Head } from "../../rules/head.ts";
import { parseNumber } from "./keys.ts";
import type { KvEntry } from "./engine.ts";

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

/** An event without its sequence, which its key has. */
export function encodeEvent({ eventType, payload }: NewEvent, createdAtMs: number): string {
  return `${createdAtMs} ${eventType} ${payload}`;
}

export function parseEvent(entry: KvEntry): StoredEvent {
  const { value } = entry;
  const type = value.indexOf(" ") + 1;
  const payload = value.indexOf(" ", type) + 1;
  return {
    sequence: numberOf(entry),
    eventType: value.slice(type, payload - 1),
    payload: value.slice(payload),
    createdAtMs: Number(value.slice(0, type)),
  };
}

/** The number at the end of an entry's key. */
export function numberOf({ key }: KvEntry): number {
  return parseNumber(key.slice(key.lastIndexOf("/") + 1));
}
