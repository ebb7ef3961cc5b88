import {
  advanceRun,
  INITIAL_STATE,
  isTerminal,
  judgeAppend,
  type KeptReceipt,
} from "./lifecycle.ts";
import { storeClosed } from "./errors.ts";
import { utf8Bytes } from "./json-text.ts";
import { createPageCut } from "./page.ts";
import type {
  AppendOutcome,
  AppendRequest,
  NewEvent,
  ReadQuery,
  ReadResult,
  RunEventStore,
  RunRecord,
  StoredEvent,
} from "./store.ts";
import { createWatchers } from "./watchers.ts";

interface MemoryRun {
  record: RunRecord;
  readonly events: StoredEvent[];
  readonly payloadBytes: number[];
  /** The events that start a phase, ascending. */
  readonly phases: { readonly sequence: number; readonly phase: string }[];
  /** Idempotency key to what it stands for. */
  readonly receipts: Map<string, Omit<KeptReceipt, "events">>;
}

/** Settings of `createMemoryStore`. */
export interface MemoryStoreOptions {
  /** The store's clock, in milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number;
}

/**
 * The reference store: everything in this process, gone with it. Each method is one synchronous block, so no other call
 * can come between its checks and its writes.
 *
 * @example
 * const runs = createRunEvents({ store: createMemoryStore() });
 */
export function createMemoryStore(options: MemoryStoreOptions = {}): RunEventStore {
  const now = options.now ?? Date.now;
  const runs = new Map<string, MemoryRun>();
  /** Each owner's runs in the order of their ordinals. */
  const owned = new Map<string, MemoryRun[]>();
  const watchers = createWatchers();
  let lastOrdinal = 0;
  let closed = false;

  function refuseIfClosed(): void {
    if (closed) throw storeClosed();
  }

  function appendOne(request: AppendRequest): AppendOutcome {
    const run = runs.get(request.runId) ?? null;
    const receipt = run === null ? null : receiptOf(run, request.idempotencyKey);
    const refusal = judgeAppend(run?.record ?? null, receipt, request);
    if (refusal !== null || run === null) return refusal ?? { outcome: "not_found" };
    const { run: record, landing } = advanceRun(run.record, request, now());
    request.events.forEach((event, index) =>
      keep(run, event, landing.firstSequence + index, record.updatedAtMs),
    );
    run.record = record;
    if (request.idempotencyKey !== null) run.receipts.set(request.idempotencyKey, landing);
    watchers.ring(request.runId);
    return { outcome: "appended", ...landing };
  }

  function readOne(query: ReadQuery): ReadResult | null {
    const run = runs.get(query.runId);
    if (run === undefined || (query.ownerId !== null && query.ownerId !== run.record.ownerId))
      return null;
    const belongs = createPageCut(query.limit, query.maxBytes);
    const events: StoredEvent[] = [];
    for (let at = query.since; at < run.events.length; at++) {
      const event = run.events[at];
      if (event === undefined || !belongs(run.payloadBytes[at] ?? 0)) break;
      events.push({ ...event });
    }
    const phase = run.phases.findLast((start) => start.sequence <= query.since);
    return { run: { ...run.record }, phaseAtSince: phase?.phase ?? null, events };
  }

  return {
    capabilities: {
      durability: "memory",
      shared: false,
      joinsTransaction: false,
      losesAcknowledgements: false,
      appendsAtOnce: 1,
      wakeDeadlineMs: 0,
    },
    async createRun({ runId, ownerId, metadata }) {
      refuseIfClosed();
      const existing = runs.get(runId)?.record;
      if (existing !== undefined) {
        return existing.ownerId === ownerId
          ? { outcome: "existing", run: { ...existing } }
          : { outcome: "taken" };
      }
      const createdAtMs = now();
      const record: RunRecord = {
        ...INITIAL_STATE,
        runId,
        ownerId,
        lastSequence: 0,
        ordinal: ++lastOrdinal,
        createdAtMs,
        updatedAtMs: createdAtMs,
        finishedAtMs: null,
        metadata,
      };
      const run: MemoryRun = {
        record,
        events: [],
        payloadBytes: [],
        phases: [],
        receipts: new Map(),
      };
      runs.set(runId, run);
      owned.set(ownerId, owned.get(ownerId) ?? []);
      owned.get(ownerId)?.push(run);
      watchers.ring(runId);
      return { outcome: "created", run: { ...record } };
    },
    async append(requests) {
      refuseIfClosed();
      return requests.map(appendOne);
    },
    async read(queries) {
      refuseIfClosed();
      return queries.map(readOne);
    },
    async getRun(runId) {
      refuseIfClosed();
      const record = runs.get(runId)?.record;
      return record === undefined ? null : { ...record };
    },
    async listRuns({ ownerId, runStatus, before, limit }) {
      refuseIfClosed();
      const listed: RunRecord[] = [];
      const all = owned.get(ownerId) ?? [];
      for (let at = all.length - 1; at >= 0 && listed.length < limit; at--) {
        const record = all[at]?.record;
        if (record === undefined || (before !== null && record.ordinal >= before)) continue;
        if (runStatus === null || record.runStatus === runStatus) listed.push({ ...record });
      }
      return listed;
    },
    async deleteRun(runId, ownerId) {
      refuseIfClosed();
      const record = runs.get(runId)?.record;
      if (record === undefined || (ownerId !== null && ownerId !== record.ownerId))
        return "not_found";
      if (!isTerminal(record.runStatus)) return "active";
      runs.delete(runId);
      owned.set(
        record.ownerId,
        (owned.get(record.ownerId) ?? []).filter((run) => run.record !== record),
      );
      watchers.ring(runId);
      return "deleted";
    },
    watch(runId, wake) {
      const ready = closed ? Promise.reject(storeClosed()) : Promise.resolve();
      // Whoever does not wait for `ready` learns of it from the next read.
      ready.catch(() => {});
      return { ready, stop: watchers.add(runId, wake) };
    },
    async close() {
      closed = true;
      watchers.clear();
    },
  };
}

function receiptOf(run: MemoryRun, key: string | null): KeptReceipt | null {
  const landing = key === null ? undefined : run.receipts.get(key);
  if (landing === undefined) return null;
  return { ...landing, events: run.events.slice(landing.firstSequence - 1, landing.lastSequence) };
}

function keep(run: MemoryRun, event: NewEvent, sequence: number, createdAtMs: number): void {
  const { eventType, payload, phase } = event;
  run.events.push({ sequence, eventType, payload, createdAtMs });
  run.payloadBytes.push(utf8Bytes(payload));
  if (phase !== null) run.phases.push({ sequence, phase });
}
