import { isTerminal, type RunStatus } from "@tm/run-events-core";
import {
  nameKey,
  type NewEvent,
  type RunName,
  type RunRecord,
  type StoredEvent,
} from "@tm/run-events-core/store";
import type { AppendOutcome, AppendRequest } from "../core-calls.ts";
import { assert, assertEqual } from "../assert.ts";
import { leaseAfter, learnLease, letsThrough, type ModelLease, NEW_LEASE } from "./model-lease.ts";

/** The lease of a run that no worker has. */
const NO_LEASE = { fence: 0, leaseExpiresAtMs: null, worker: null };

/** The fields that only the store knows of a run whose creation was not answered. */
const UNKNOWN = { ordinal: null, createdAtMs: null };
type LearntOnce = { readonly [Field in keyof typeof UNKNOWN]: number | null };

/** The expected state of a run, in its plainest form. Times and ordinals are the store's: learnt once, then held to. */
export interface ModelRun {
  record: Omit<RunRecord, keyof typeof NO_LEASE | keyof typeof UNKNOWN> & LearntOnce;
  lease: ModelLease;
  /** The times are `null` until the store has returned them. */
  readonly events: { readonly event: NewEvent; createdAtMs: number | null }[];
  readonly keys: Map<string, { readonly batch: readonly NewEvent[]; readonly outcome: object }>;
}

/** The expected content of a store. */
export interface StoreModel {
  /** By `nameKey`: two owners may have the same id. */
  readonly runs: Map<string, ModelRun>;
  /** The largest ordinal of each owner so far, of deleted runs too. */
  readonly lastOrdinals: Map<string, number>;
  /** The last fence of each deleted run, by its name. It is over for a new run with that name. */
  readonly deletedFences: Map<string, number>;
}

export function emptyModel(): StoreModel {
  return { runs: new Map(), lastOrdinals: new Map(), deletedFences: new Map() };
}

/** Takes a run out of the model. */
export function forgetRun(model: StoreModel, name: RunName): void {
  const key = nameKey(name);
  const { fence = 0, former = -1 } = model.runs.get(key)?.lease ?? {};
  model.deletedFences.set(key, fence === 0 ? former : fence);
  model.runs.delete(key);
}

/** The run of an owner; `undefined` if it does not exist. */
export function runOf(model: StoreModel, name: RunName): ModelRun | undefined {
  return model.runs.get(nameKey(name));
}

/** The ids of an owner's live runs of a topic. */
export function liveRuns(
  model: StoreModel,
  { ownerId, topic }: Pick<RunRecord, "ownerId" | "topic">,
): readonly string[] {
  return [...model.runs.values()]
    .map(({ record }) => record)
    .filter((run) => run.ownerId === ownerId && run.topic === topic && !isTerminal(run.runStatus))
    .map(({ runId }) => runId);
}

/**
 * Takes a run into the model as the store returned it, without the lease that it may have from the first moment.
 * @param run `null` if the creation was not answered
 */
export function learnRun(
  model: StoreModel,
  asked: Pick<RunRecord, "runId" | "ownerId" | "metadata" | "topic">,
  run: RunRecord | null,
): ModelRun {
  const { ordinal, createdAtMs } = run ?? UNKNOWN;
  const last = model.lastOrdinals.get(asked.ownerId) ?? -Infinity;
  const isLarger = ordinal === null || ordinal > last;
  assert(isLarger, `the ordinal ${ordinal} is larger than all before of its owner`);
  const expected: ModelRun["record"] = {
    ...asked,
    runStatus: "queued",
    phase: null,
    lastSequence: 0,
    ordinal,
    createdAtMs,
    updatedAtMs: createdAtMs ?? 0,
    finishedAtMs: null,
  };
  if (run !== null) {
    assertEqual({ ...run, ...NO_LEASE }, { ...expected, ...NO_LEASE }, "the new run");
    model.lastOrdinals.set(asked.ownerId, run.ordinal);
  }
  const learnt: ModelRun = {
    record: expected,
    lease: { ...NEW_LEASE, former: model.deletedFences.get(nameKey(asked)) ?? NEW_LEASE.former },
    events: [],
    keys: new Map(),
  };
  model.runs.set(nameKey(asked), learnt);
  return learnt;
}

/** Appends to the model, and returns the outcome that the store must have. */
export function appendToModel(model: StoreModel, request: AppendRequest & RunName): AppendOutcome {
  const run = runOf(model, request);
  if (run === undefined) return { outcome: "not_found" };
  const { record } = run;
  const { runStatus, lastSequence } = record;
  const { idempotencyKey, expectedSequence, events } = request;
  const kept = idempotencyKey === null ? undefined : run.keys.get(idempotencyKey);
  if (kept !== undefined) {
    const same = JSON.stringify(kept.batch) === JSON.stringify(events);
    if (!same) return { outcome: "idempotency_key_reused" };
    return { outcome: "replayed", ...kept.outcome } as AppendOutcome;
  }
  if (isTerminal(runStatus)) return { outcome: "finished", runStatus, lastSequence };
  if (!letsThrough(run.lease, request.appender)) return { outcome: "fenced" };
  if (expectedSequence !== null && expectedSequence !== lastSequence) {
    return { outcome: "sequence_conflict", lastSequence };
  }
  for (const event of events) run.events.push({ event, createdAtMs: null });
  const landing = {
    firstSequence: lastSequence + 1,
    lastSequence: lastSequence + events.length,
    runStatus: statusOf(run),
    phase: run.events.findLast(({ event }) => event.phase !== null)?.event.phase ?? null,
  };
  run.record = { ...record, ...landing, lastSequence: landing.lastSequence };
  run.lease = leaseAfter(run.lease, request.appender, isTerminal(landing.runStatus));
  if (idempotencyKey !== null) run.keys.set(idempotencyKey, { batch: events, outcome: landing });
  return { outcome: "appended", ...landing };
}

/** The status after all events, in the plainest way. */
function statusOf({ events }: ModelRun): RunStatus {
  const types = events.map(({ event }) => event.eventType);
  const last = types.at(-1);
  if (last === "RUN_COMPLETED") return "completed";
  if (last === "RUN_FAILED") return "failed";
  if (last === "RUN_CANCELLED") return "cancelled";
  if (types.every((one) => one === "INPUT_RECEIVED")) return "queued";
  return types.lastIndexOf("INPUT_REQUESTED") > types.lastIndexOf("INPUT_RECEIVED")
    ? "waiting"
    : "running";
}

/** Holds a head that the store gave against the model. */
export function checkRecord(run: ModelRun, actual: RunRecord | null): void {
  const { record, events } = run;
  assert(actual !== null, `${record.runId} is there`);
  const { runStatus, phase, lastSequence } = record;
  const { runId, ownerId, metadata, topic } = record;
  const { ordinal = actual.ordinal, createdAtMs = actual.createdAtMs } = known(record);
  run.record = { ...record, ordinal, createdAtMs };
  const updatedAtMs = learnTime(events.at(-1), actual.updatedAtMs) ?? createdAtMs;
  run.lease = learnLease(run.lease, actual);
  assertEqual(
    actual,
    {
      runId,
      ownerId,
      metadata,
      topic,
      ordinal,
      createdAtMs,
      runStatus,
      phase,
      lastSequence,
      updatedAtMs,
      fence: run.lease.fence,
      leaseExpiresAtMs: run.lease.expiresAtMs,
      worker: run.lease.expiresAtMs === null ? null : run.lease.worker,
      finishedAtMs: isTerminal(runStatus) ? updatedAtMs : null,
    },
    `the head of ${runId}`,
  );
}

/** The fields of a run that only the store knows, once it has shown them. */
function known({ ordinal, createdAtMs }: LearntOnce): Partial<RunRecord> {
  return ordinal === null || createdAtMs === null ? {} : { ordinal, createdAtMs };
}

/** Compares the events that the store returned after `since` with the model. */
export function checkEvents(run: ModelRun, since: number, actual: readonly StoredEvent[]): void {
  const expected = run.events.slice(since, since + actual.length).map((kept, index) => ({
    sequence: since + 1 + index,
    eventType: kept.event.eventType,
    payload: kept.event.payload,
    createdAtMs: learnTime(kept, actual[index]?.createdAtMs ?? 0),
  }));
  assertEqual(actual, expected, `the events of ${run.record.runId} after ${since}`);
}

/** The event's time: what the store returned first, from then on. */
function learnTime(
  kept: ModelRun["events"][number] | undefined,
  shown: number,
): number | null | undefined {
  if (kept !== undefined) kept.createdAtMs ??= shown;
  return kept?.createdAtMs;
}
