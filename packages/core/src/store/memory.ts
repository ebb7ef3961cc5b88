import type { AppendOutcome, AppendRequest } from "../rules/append.ts";
import {
  claimRun,
  encodeKeptClaim,
  keptKeyOf,
  type LeaseOutcome,
  releaseRun,
  renewLease,
} from "../rules/claims.ts";
import { storeClosed } from "../rules/errors.ts";
import type { NewEvent, StoredEvent } from "../rules/event.ts";
import { utf8Bytes } from "../rules/json-text.ts";
import { advanceRun, isVisible, judgeAppend, type KeptReceipt } from "../rules/judge-append.ts";
import { NO_LEASE, isFenced } from "../rules/lease.ts";
import { INITIAL_STATE, isTerminal } from "../rules/lifecycle.ts";
import { createPageCut, type ReadQuery, type ReadResult } from "../rules/page.ts";
import type { RunRecord } from "../rules/run.ts";
import type { RunEventStore } from "./store.ts";
import { createWatchers } from "./watchers.ts";

interface MemoryRun {
  record: RunRecord;
  readonly events: StoredEvent[];
  readonly payloadBytes: number[];
  /** The events that start a phase, ascending. */
  readonly phases: { readonly sequence: number; readonly phase: string }[];
  /** What `encodeKeptClaim` made of the claim that got the lease, `null` if that had no key. */
  keptClaim: string | null;
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
  // Looked up at each call: a test that sets the date sets the store's clock, too.
  const now = options.now ?? (() => Date.now());
  const runs = new Map<string, MemoryRun>();
  /** Each owner's runs in the order of their ordinals. */
  const owned = new Map<string, MemoryRun[]>();
  const watchers = createWatchers();
  let lastOrdinal = 0;
  let closed = false;

  function refuseIfClosed(): void {
    if (closed) throw storeClosed();
  }

  function headOf(runId: string): RunRecord | null {
    return runs.get(runId)?.record ?? null;
  }

  function heads(): RunRecord[] {
    return [...runs.values()].map(({ record }) => record);
  }

  function keepLease(outcome: LeaseOutcome): LeaseOutcome {
    if (outcome.outcome !== "granted") return outcome;
    const run = runs.get(outcome.run.runId);
    if (run !== undefined) run.record = outcome.run;
    return { ...outcome, run: { ...outcome.run } };
  }

  function remove({ runId, ownerId }: RunRecord): void {
    const left = (owned.get(ownerId) ?? []).filter((run) => run.record.runId !== runId);
    if (left.length === 0) owned.delete(ownerId);
    else owned.set(ownerId, left);
    runs.delete(runId);
    watchers.ring(runId);
  }

  function appendOne(request: AppendRequest): AppendOutcome {
    const run = runs.get(request.runId) ?? null;
    const receipt = run === null ? null : receiptOf(run, request.idempotencyKey);
    const nowMs = now();
    const refusal = judgeAppend(run?.record ?? null, receipt, request, nowMs);
    if (refusal !== null || run === null) return refusal ?? { outcome: "not_found" };
    const { run: record, landing } = advanceRun(run.record, request, nowMs);
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
    if (run === undefined || !isVisible(run.record, query.ownerId)) return null;
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
      const existing = headOf(runId);
      if (existing !== null) {
        return existing.ownerId === ownerId
          ? { outcome: "existing", run: { ...existing } }
          : { outcome: "taken" };
      }
      const createdAtMs = now();
      const record: RunRecord = {
        ...INITIAL_STATE,
        ...NO_LEASE,
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
        keptClaim: null,
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
      const record = headOf(runId);
      return record === null ? null : { ...record };
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
      const record = headOf(runId);
      if (record === null || !isVisible(record, ownerId)) return "not_found";
      if (!isTerminal(record.runStatus)) return "active";
      remove(record);
      return "deleted";
    },
    async claim(request) {
      refuseIfClosed();
      const run = runs.get(request.runId);
      if (run === undefined) return { outcome: "not_found" };
      const keptKey = keptKeyOf(run.record, run.keptClaim);
      const outcome = claimRun(run.record, request, now(), keptKey);
      if (outcome.outcome === "granted") {
        const { claimKey } = request;
        run.keptClaim =
          claimKey === undefined ? null : encodeKeptClaim(outcome.run.fence, claimKey);
      }
      return keepLease(outcome);
    },
    async renew(request) {
      refuseIfClosed();
      return keepLease(renewLease(headOf(request.runId), request, now()));
    },
    async release(request) {
      refuseIfClosed();
      return keepLease(releaseRun(headOf(request.runId), request));
    },
    async listExpired({ graceMs, limit }) {
      refuseIfClosed();
      const nowMs = now();
      return heads()
        .filter((run) => !isFenced(run, { by: "reaper", graceMs }, nowMs))
        .sort((a, b) => (a.leaseExpiresAtMs ?? 0) - (b.leaseExpiresAtMs ?? 0))
        .slice(0, limit)
        .map(({ runId }) => runId);
    },
    async purge({ finishedForMs, limit }) {
      refuseIfClosed();
      const latestMs = now() - finishedForMs;
      const old = heads()
        .filter(({ finishedAtMs }) => finishedAtMs !== null && finishedAtMs <= latestMs)
        .sort((a, b) => (a.finishedAtMs ?? 0) - (b.finishedAtMs ?? 0))
        .slice(0, limit);
      old.forEach(remove);
      return old.map(({ runId }) => runId);
    },
    async probe() {
      refuseIfClosed();
      return now();
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
