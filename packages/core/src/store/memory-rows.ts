import type { StoredEvent } from "../rules/event.ts";
import {
  type ChangedScope,
  type Departure,
  DEPARTURES_MS,
  type DeparturesPage,
  type DeparturesQuery,
  FORGOTTEN_EACH,
} from "../rules/changed.ts";
import type { LiveStatus } from "../rules/idle.ts";
import { isTerminal } from "../rules/lifecycle.ts";
import { isListed } from "../rules/listed.ts";
import { utf8Bytes } from "../rules/json-text.ts";
import { createPageCut, type ReadQuery } from "../rules/page.ts";
import type { EventRow, MovedHead, ReceiptRow } from "../rules/plan-appends.ts";
import type { HeadRow } from "../rules/plan-lease.ts";
import type { NewRun } from "../rules/plan-run.ts";
import type { LivePosition } from "../rules/run.ts";
import type { DueTime, RowMoves } from "./row-moves.ts";
import type { ListQuery } from "./store.ts";

interface MemoryRun {
  head: HeadRow;
  readonly events: StoredEvent[];
  readonly payloadBytes: number[];
  readonly receipts: Map<string, ReceiptRow>;
}

/** A departure, with the number of its mark. */
interface MarkedDeparture extends Departure {
  readonly mark: number;
  readonly atMs: number;
}

/** Rows in this process. Each move answers at once. It copies arguments. Its answers are copies, or never change. */
export class MemoryRows implements RowMoves {
  readonly now: () => number;
  readonly #runs = new Map<string, MemoryRun>();
  readonly #byOrdinal = new Map<number, MemoryRun>();
  /** Each owner's runs, and those of each topic of an owner, in the order of their ordinals. By {@link listKey}. */
  readonly #lists = new Map<string, MemoryRun[]>();
  #lastOrdinal = 0;
  /** In the order of their marks. */
  readonly #departures: MarkedDeparture[] = [];
  #lastMark = 0;
  /** Each mark begins with it, so that marks of another store are not known: when the first run was created. Empty before that. */
  #name = "";

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
    const { ownerId, topic = null, before, limit } = query;
    const listed: HeadRow[] = [];
    const all = this.#lists.get(listKey(ownerId, topic)) ?? [];
    for (let at = all.length - 1; at >= 0 && listed.length < limit; at--) {
      const head = all[at]?.head;
      if (head === undefined || (before !== null && head.ordinal >= before)) continue;
      if (isListed(head, query)) listed.push(head);
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
    if (this.#name === "") this.#name = run.createdAtMs.toString(36);
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

  insertDepartures(departures: readonly Departure[], nowMs: number): void {
    const kept = this.#departures.findIndex(({ atMs }) => atMs >= nowMs - DEPARTURES_MS);
    const old = kept === -1 ? this.#departures.length : kept;
    this.#departures.splice(0, Math.min(old, FORGOTTEN_EACH * departures.length));
    for (const departure of departures) {
      this.#lastMark += 1;
      this.#departures.push({ ...departure, mark: this.#lastMark, atMs: nowMs });
    }
  }

  selectDepartures({ ownerId, topic, since, limit }: DeparturesQuery): DeparturesPage {
    const [name, number] = since?.split("_") ?? [];
    const after = Number(number);
    const isOfThis = name === this.#name || (name === "" && after === 0);
    // The marks ascend without a gap. Those before the first one were forgotten.
    const from = after + 1 - (this.#departures[0]?.mark ?? this.#lastMark + 1);
    const isKnown = isOfThis && after <= this.#lastMark && from >= 0;
    const departures = this.#departures
      .slice(isKnown ? from : this.#departures.length)
      .filter((one) => one.ownerId === ownerId && (topic === null || one.topic === topic))
      .map(({ runId, mark }) => ({ runId, mark: this.#encodeMark(mark) }));
    return {
      isKnown,
      departures: departures.slice(0, limit),
      hasMore: departures.length > limit,
      mark: this.#encodeMark(this.#lastMark),
      nowMs: this.now(),
    };
  }

  selectLive({ ownerId, topic }: ChangedScope): readonly LivePosition[] {
    return (this.#lists.get(listKey(ownerId, topic)) ?? [])
      .filter(({ head }) => !isTerminal(head.runStatus))
      .map(({ head: { runId, ordinal, lastSequence, updatedAtMs } }) => ({
        runId,
        ordinal,
        lastSequence,
        updatedAtMs,
      }));
  }

  #encodeMark(mark: number): string {
    return `${this.#name}_${mark}`;
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
