import type { NewReceipt } from "../rules/decision.ts";
import { type DueKind, dueKindOf } from "../rules/due.ts";
import type { StoredEvent } from "../rules/event.ts";
import { type Head, nameKey, type RunName } from "../rules/head.ts";
import { utf8Bytes } from "../rules/json-text.ts";
import { isTerminal } from "../rules/lifecycle.ts";
import { isListed } from "../rules/listed.ts";
import { createPageCut } from "../rules/page.ts";
import type { OwnerQuery, ReadQuery } from "./store.ts";
import type { EventRow, ReceiptRow, SyncRows } from "./sync-rows.ts";

interface MemoryRun {
  head: Head;
  readonly metadata: string;
  readonly events: StoredEvent[];
  readonly payloadBytes: number[];
  readonly receipts: Map<string, NewReceipt>;
}

/** Rows in this process. What they answer is a copy, or never changes. */
export class MemoryRows implements SyncRows {
  readonly now: () => number;
  /** By the text that `nameKey` makes. */
  readonly #runs = new Map<string, MemoryRun>();
  readonly #byOrdinal = new Map<number, MemoryRun>();
  /** Each owner's runs, and those of each topic of an owner, in the order of their ordinals. By {@link listKey}. */
  readonly #lists = new Map<string, MemoryRun[]>();
  #lastOrdinal = 0;

  constructor(now: () => number) {
    this.now = now;
  }

  selectHeads(names: readonly RunName[]): readonly Head[] {
    return names.flatMap((name) => this.#runs.get(nameKey(name))?.head ?? []);
  }

  selectMetadata(ordinal: number): string {
    return this.#byOrdinal.get(ordinal)?.metadata ?? "null";
  }

  selectReceipts(ordinal: number, keys: readonly string[]): readonly NewReceipt[] {
    const receipts = this.#byOrdinal.get(ordinal)?.receipts;
    return keys.flatMap((key) => receipts?.get(key) ?? []);
  }

  selectEvents(
    ordinal: number,
    { since, limit, maxBytes }: Pick<ReadQuery, "since" | "limit" | "maxBytes">,
  ): readonly StoredEvent[] {
    const { events = [], payloadBytes = [] } = this.#byOrdinal.get(ordinal) ?? {};
    const belongs = createPageCut(limit, maxBytes);
    const page: StoredEvent[] = [];
    for (let at = since; at < events.length; at++) {
      const event = events[at];
      if (event === undefined || !belongs(payloadBytes[at] ?? 0)) break;
      const { sequence, eventType, payload, createdAtMs } = event;
      page.push({ sequence, eventType, payload, createdAtMs });
    }
    return page;
  }

  selectHolder(ownerId: string, topic: string): RunName | null {
    const runs = this.#lists.get(listKey(ownerId, topic)) ?? [];
    return runs.findLast(({ head }) => !isTerminal(head.runStatus))?.head ?? null;
  }

  selectOwned(query: OwnerQuery): readonly Head[] {
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

  selectDue(due: DueKind, untilMs: number, limit: number): readonly Head[] {
    return [...this.#runs.values()]
      .map(({ head }) => head)
      .filter((head) => head.dueMs <= untilMs && dueKindOf(head) === due)
      .sort((a, b) => a.dueMs - b.dueMs)
      .slice(0, limit)
      .map((head) => ({ ...head }));
  }

  nextOrdinal(): number {
    return this.#lastOrdinal + 1;
  }

  insertRun({ metadata = "null", ...head }: Head): void {
    this.#lastOrdinal = head.ordinal;
    const run = { head, metadata, events: [], payloadBytes: [], receipts: new Map() };
    this.#runs.set(nameKey(head), run);
    this.#byOrdinal.set(head.ordinal, run);
    for (const key of listKeysOf(head)) {
      const list = this.#lists.get(key);
      if (list === undefined) this.#lists.set(key, [run]);
      else list.push(run);
    }
  }

  insertEvents(rows: readonly EventRow[]): void {
    for (const row of rows) {
      const run = this.#byOrdinal.get(row.ordinal);
      run?.events.push(row);
      run?.payloadBytes.push(utf8Bytes(row.payload));
    }
  }

  insertReceipts(rows: readonly ReceiptRow[]): void {
    for (const { ordinal, ...receipt } of rows) {
      this.#byOrdinal.get(ordinal)?.receipts.set(receipt.idempotencyKey, receipt);
    }
  }

  advanceHead(head: Head): void {
    const run = this.#byOrdinal.get(head.ordinal);
    if (run !== undefined) run.head = head;
  }

  saveHead(head: Head): void {
    const { metadata: _, ...columns } = head;
    this.advanceHead(columns);
  }

  deleteRun(ordinal: number): void {
    const run = this.#byOrdinal.get(ordinal);
    if (run === undefined) return;
    this.#byOrdinal.delete(ordinal);
    this.#runs.delete(nameKey(run.head));
    for (const key of listKeysOf(run.head)) {
      const left = (this.#lists.get(key) ?? []).filter((other) => other !== run);
      if (left.length === 0) this.#lists.delete(key);
      else this.#lists.set(key, left);
    }
  }

  writeProbe(): void {
    // Memory can take an append at any time.
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
