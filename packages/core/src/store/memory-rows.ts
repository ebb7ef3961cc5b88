import type { StoredEvent } from "../rules/event.ts";
import type { LiveStatus } from "../rules/idle.ts";
import { isListed } from "../rules/listed.ts";
import { utf8Bytes } from "../rules/json-text.ts";
import { createPageCut, type ReadQuery } from "../rules/page.ts";
import type { EventRow, MovedHead, ReceiptRow } from "../rules/plan-appends.ts";
import type { HeadRow } from "../rules/plan-lease.ts";
import type { NewRun } from "../rules/plan-run.ts";
import type { DueTime, RowMoves } from "./row-moves.ts";
import type { ListQuery } from "./store.ts";

interface MemoryRun {
  head: HeadRow;
  readonly events: StoredEvent[];
  readonly payloadBytes: number[];
  readonly receipts: Map<string, ReceiptRow>;
}

/** Rows in this process. Each move answers at once. It copies arguments. Its answers are copies, or never change. */
export class MemoryRows implements RowMoves {
  readonly now: () => number;
  readonly #runs = new Map<string, MemoryRun>();
  readonly #byOrdinal = new Map<number, MemoryRun>();
  /** Each owner's runs, and those of each topic of an owner, in the order of their ordinals. By {@link listKey}. */
  readonly #lists = new Map<string, MemoryRun[]>();
  #lastOrdinal = 0;

  constructor(now: () => number) {
    this.now = now;
  }

  selectHeads(runIds: readonly string[]): readonly HeadRow[] {
    const heads: HeadRow[] = [];
    for (const runId of runIds) {
      const run = this.#runs.get(runId);
      if (run !== undefined) heads.push(run.head);
    }
    return heads;
  }

  selectReceipts(
    keys: readonly Pick<ReceiptRow, "ordinal" | "idempotencyKey">[],
  ): readonly ReceiptRow[] {
    return keys.flatMap(({ ordinal, idempotencyKey }) => {
      const receipt = this.#byOrdinal.get(ordinal)?.receipts.get(idempotencyKey);
      return receipt === undefined ? [] : [receipt];
    });
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
      page.push({ ...event });
    }
    return page;
  }

  selectOwned(query: ListQuery): readonly HeadRow[] {
    const { ownerId, topic = null, before, limit, withMetadata = true } = query;
    const listed: HeadRow[] = [];
    const all = this.#lists.get(listKey(ownerId, topic)) ?? [];
    for (let at = all.length - 1; at >= 0 && listed.length < limit; at--) {
      const head = all[at]?.head;
      if (head === undefined || (before !== null && head.ordinal >= before)) continue;
      if (isListed(head, query)) listed.push(withMetadata ? head : { ...head, metadata: "" });
    }
    return listed;
  }

  selectDue(time: DueTime, untilMs: number, limit: number): readonly string[] {
    return [...this.#runs.values()]
      .map(({ head }) => ({ runId: head.runId, atMs: head[time] ?? Number.POSITIVE_INFINITY }))
      .filter(({ atMs }) => atMs <= untilMs)
      .sort((a, b) => a.atMs - b.atMs)
      .slice(0, limit)
      .map(({ runId }) => runId);
  }

  selectIdle(runStatus: LiveStatus, untilMs: number, limit: number): readonly HeadRow[] {
    return [...this.#runs.values()]
      .map(({ head }) => head)
      .filter((head) => head.runStatus === runStatus && head.leaseExpiresAtMs === null)
      .filter(({ idleFromMs }) => idleFromMs <= untilMs)
      .sort((a, b) => a.idleFromMs - b.idleFromMs)
      .slice(0, limit);
  }

  insertRun(run: NewRun): number {
    const ordinal = ++this.#lastOrdinal;
    const head = { ...run, ordinal, keptClaim: null };
    const made = { head, events: [], payloadBytes: [], receipts: new Map() };
    this.#runs.set(run.runId, made);
    this.#byOrdinal.set(ordinal, made);
    for (const key of listKeysOf(run)) {
      const list = this.#lists.get(key) ?? [];
      list.push(made);
      this.#lists.set(key, list);
    }
    return ordinal;
  }

  insertEvents(rows: readonly EventRow[]): void {
    for (const { ordinal, sequence, eventType, payload, createdAtMs } of rows) {
      const run = this.#byOrdinal.get(ordinal);
      run?.events.push({ sequence, eventType, payload, createdAtMs });
      run?.payloadBytes.push(utf8Bytes(payload));
    }
  }

  insertReceipts(rows: readonly ReceiptRow[]): void {
    for (const row of rows) this.#byOrdinal.get(row.ordinal)?.receipts.set(row.idempotencyKey, row);
  }

  saveHeads(moved: readonly MovedHead<HeadRow>[]): void {
    for (const { after } of moved) {
      const run = this.#byOrdinal.get(after.ordinal);
      if (run !== undefined) run.head = after;
    }
  }

  deleteRuns(ordinals: readonly number[]): void {
    for (const ordinal of ordinals) {
      const run = this.#byOrdinal.get(ordinal);
      if (run === undefined) continue;
      this.#byOrdinal.delete(ordinal);
      this.#runs.delete(run.head.runId);
      for (const key of listKeysOf(run.head)) {
        const left = (this.#lists.get(key) ?? []).filter((other) => other !== run);
        if (left.length === 0) this.#lists.delete(key);
        else this.#lists.set(key, left);
      }
    }
  }

  writeProbe(): void {
    // Memory can take an append at any time.
  }
}

function listKeysOf({ ownerId, topic }: Pick<HeadRow, "ownerId" | "topic">): readonly string[] {
  const all = listKey(ownerId, null);
  return topic === null ? [all] : [all, listKey(ownerId, topic)];
}

/** The name of an owner's list, or of one topic's. An owner id may be any text, and so may a topic. */
function listKey(ownerId: string, topic: string | null): string {
  return JSON.stringify([ownerId, topic]);
}
