import type { NewReceipt } from "../rules/decision.ts";
import { type DueKind, dueKindOf } from "../rules/due.ts";
import type { StoredEvent } from "../rules/event.ts";
import { type Head, nameKey, type RunName } from "../rules/head.ts";
import { utf8Bytes } from "../rules/json-text.ts";
import { isListed } from "../rules/listed.ts";
import { createPageCut } from "../rules/page.ts";
import type { OwnerQuery, ReadQuery } from "./store.ts";
import type { EventRow, ReceiptRow, SyncRows } from "./sync-rows.ts";

interface MemoryRun {
  head: Head;
  readonly metadata: string;
  readonly events: StoredEvent[];
  readonly receipts: Map<string, NewReceipt>;
}

const NEWEST_LIVE = { runStatus: "live", before: null, limit: 1 } as const;

/** Rows in this process. What they answer is a copy, or never changes. */
export class MemoryRows implements SyncRows {
  readonly now: () => number;
  /** By the text that `nameKey` makes. */
  readonly #runs = new Map<string, MemoryRun>();
  readonly #byOrdinal = new Map<number, MemoryRun>();
  /** Each owner's runs, in the order of their ordinals. */
  readonly #owned = new Map<string, MemoryRun[]>();
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
    const { events = [] } = this.#byOrdinal.get(ordinal) ?? {};
    const belongs = createPageCut(limit, maxBytes);
    const page: StoredEvent[] = [];
    for (let at = since; at < events.length; at++) {
      const event = events[at];
      if (event === undefined || !belongs(utf8Bytes(event.payload))) break;
      page.push({ ...event });
    }
    return page;
  }

  selectHolder(ownerId: string, topic: string): RunName | null {
    const [holder = null] = this.selectOwned({ ownerId, topic, ...NEWEST_LIVE });
    return holder;
  }

  selectOwned(query: OwnerQuery): readonly Head[] {
    const { ownerId, before, limit } = query;
    const all = this.#owned.get(ownerId) ?? [];
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
    const run = { head, metadata, events: [], receipts: new Map() };
    this.#runs.set(nameKey(head), run);
    this.#byOrdinal.set(head.ordinal, run);
    const owned = this.#owned.get(head.ownerId);
    if (owned === undefined) this.#owned.set(head.ownerId, [run]);
    else owned.push(run);
  }

  insertEvents(rows: readonly EventRow[]): void {
    for (const { ordinal, ...event } of rows) this.#byOrdinal.get(ordinal)?.events.push(event);
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
    const { ownerId } = run.head;
    const left = (this.#owned.get(ownerId) ?? []).filter((other) => other !== run);
    if (left.length === 0) this.#owned.delete(ownerId);
    else this.#owned.set(ownerId, left);
  }

  writeProbe(): void {
    // Memory can take an append at any time.
  }
}
