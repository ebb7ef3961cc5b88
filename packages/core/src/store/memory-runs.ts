import type { NewReceipt } from "../rules/decision.ts";
import { dueKindOf } from "../rules/due.ts";
import type { NewEvent, StoredEvent } from "../rules/event.ts";
import type { Head, RunName } from "../rules/head.ts";
import type { KeptReceipt } from "../rules/judge-append.ts";
import { utf8Bytes } from "../rules/json-text.ts";
import { isTerminal } from "../rules/lifecycle.ts";
import { isListed } from "../rules/listed.ts";
import { createPageCut } from "../rules/page.ts";
import type { DueQuery, OwnerQuery, ReadQuery, ReadResult } from "./contract.ts";

/** A run in memory. What it holds never changes, but for new events and receipts, and for another head in place of the one before. */
export interface MemoryRun {
  head: Head;
  readonly metadata: string;
  readonly events: StoredEvent[];
  readonly payloadBytes: number[];
  readonly receipts: Map<string, NewReceipt>;
}

/** The runs of a store in memory, by the text that `nameKey` makes. */
export class MemoryRuns {
  readonly #runs = new Map<string, MemoryRun>();
  /** Each owner's runs, and those of each topic of an owner, in the order of their ordinals. By {@link listKey}. */
  readonly #lists = new Map<string, MemoryRun[]>();
  #lastOrdinal = 0;

  find(key: string): MemoryRun | undefined {
    return this.#runs.get(key);
  }

  nextOrdinal(): number {
    return this.#lastOrdinal + 1;
  }

  create(key: string, { metadata = "null", ...head }: Head): void {
    this.#lastOrdinal = head.ordinal;
    const run = { head, metadata, events: [], payloadBytes: [], receipts: new Map() };
    this.#runs.set(key, run);
    for (const list of listKeysOf(head)) {
      const others = this.#lists.get(list);
      if (others === undefined) this.#lists.set(list, [run]);
      else others.push(run);
    }
  }

  write(
    run: MemoryRun,
    { metadata: _, ...head }: Head,
    events: readonly NewEvent[],
    receipts: readonly NewReceipt[],
  ): void {
    let sequence = run.head.lastSequence;
    for (const { eventType, payload } of events) {
      sequence += 1;
      run.events.push({ sequence, eventType, payload, createdAtMs: head.updatedAtMs });
      run.payloadBytes.push(utf8Bytes(payload));
    }
    for (const receipt of receipts) run.receipts.set(receipt.idempotencyKey, receipt);
    run.head = head;
  }

  remove(key: string, run: MemoryRun): void {
    this.#runs.delete(key);
    for (const list of listKeysOf(run.head)) {
      const left = (this.#lists.get(list) ?? []).filter((other) => other !== run);
      if (left.length === 0) this.#lists.delete(list);
      else this.#lists.set(list, left);
    }
  }

  receiptsOf(run: MemoryRun, keys: readonly string[]): ReadonlyMap<string, KeptReceipt> {
    const found = new Map<string, KeptReceipt>();
    for (const key of keys) {
      const receipt = run.receipts.get(key);
      if (receipt === undefined) continue;
      const events = run.events.slice(receipt.firstSequence - 1, receipt.lastSequence);
      found.set(key, { ...receipt, events });
    }
    return found;
  }

  holderOf(ownerId: string, topic: string): RunName | null {
    const runs = this.#lists.get(listKey(ownerId, topic)) ?? [];
    return runs.findLast(({ head }) => !isTerminal(head.runStatus))?.head ?? null;
  }

  read(
    key: string,
    { since, limit, maxBytes, wantsMetadata = false }: ReadQuery,
  ): ReadResult | null {
    const run = this.#runs.get(key);
    if (run === undefined) return null;
    const belongs = createPageCut(limit, maxBytes);
    const events: StoredEvent[] = [];
    for (let at = since; at < run.events.length; at++) {
      const event = run.events[at];
      if (event === undefined || !belongs(run.payloadBytes[at] ?? 0)) break;
      events.push({ ...event });
    }
    const head = wantsMetadata ? { ...run.head, metadata: run.metadata } : { ...run.head };
    return { head, events };
  }

  listOwned(query: OwnerQuery): readonly Head[] {
    const { ownerId, topic, before, limit } = query;
    const all = this.#lists.get(listKey(ownerId, topic)) ?? [];
    const listed: Head[] = [];
    for (let at = all.length - 1; at >= 0 && listed.length < limit; at--) {
      const head = all[at]?.head;
      if (head === undefined || (before !== null && head.ordinal >= before)) continue;
      if (isListed(head, query)) listed.push({ ...head });
    }
    return listed;
  }

  listDue({ due, untilMs, limit }: DueQuery): readonly Head[] {
    return [...this.#runs.values()]
      .map(({ head }) => head)
      .filter((head) => head.dueMs <= untilMs && dueKindOf(head) === due)
      .sort((a, b) => a.dueMs - b.dueMs)
      .slice(0, limit)
      .map((head) => ({ ...head }));
  }
}

function listKeysOf({ ownerId, topic }: Pick<Head, "ownerId" | "topic">): readonly string[] {
  const all = listKey(ownerId, null);
  return topic === null ? [all] : [all, listKey(ownerId, topic)];
}

/** The name of an owner's list, or of one topic's. An owner id may be any text, and so may a topic. */
function listKey(ownerId: string, topic: string | null): string {
  return JSON.stringify([ownerId, topic]);
}
