import type { OwnerQuery, RunRecord, StoredEvent } from "@tm/run-events-core/store";
import type {
  ClaimRequest,
  LeaseOutcome,
  ReleaseRequest,
  RenewRequest,
} from "../../../core/src/rules/claims.ts";
import type { AppendRequest } from "../../../core/src/rules/append.ts";
import type { KitQuery, KitStore } from "../../../conformance/src/kit-store.ts";

/** An append of one event whose payload is the value. */
export function appendOf(
  runId: string,
  value: unknown = null,
  more: Partial<AppendRequest> = {},
): AppendRequest {
  return {
    runId,
    ownerId: "ada",
    events: [{ eventType: "LOG_LINE", payload: JSON.stringify(value), phase: null }],
    idempotencyKey: null,
    expectedSequence: null,
    appender: { by: "anybody" },
    ...more,
  };
}

/** The append that ends a run. */
export function endOf(runId: string, more: Partial<AppendRequest> = {}): AppendRequest {
  return appendOf(runId, null, {
    events: [{ eventType: "RUN_COMPLETED", payload: "null", phase: null }],
    ...more,
  });
}

/** A claim for an hour by default. */
export function claimOf(runId: string, leaseMs = 3_600_000): ClaimRequest {
  return { runId, ownerId: "ada", leaseMs };
}

/** Claims a run that has to be free. @returns the run */
export async function claimed(store: KitStore, claim: ClaimRequest): Promise<RunRecord> {
  const outcome = await store.claim(claim);
  if (!isGranted(outcome)) throw new TypeError(`Expected a lease, got ${outcome.outcome}.`);
  return outcome.run;
}

/** Whether a lease was given. */
export function isGranted(
  outcome: LeaseOutcome,
): outcome is Extract<LeaseOutcome, { outcome: "granted" }> {
  return outcome.outcome === "granted";
}

/** An append by the worker with this fence. */
export function by(fence: number): Pick<AppendRequest, "appender"> {
  return { appender: { by: "worker", fence } };
}

export function renewOf(runId: string, fence: number, leaseMs?: number): RenewRequest {
  return { ...claimOf(runId, leaseMs), fence };
}

export function releaseOf(runId: string, fence: number): ReleaseRequest {
  return { runId, ownerId: "ada", fence };
}

export function createOf(runId: string): {
  readonly runId: string;
  readonly ownerId: string;
  readonly metadata: string;
} {
  return { runId, ownerId: "ada", metadata: "{}" };
}

export function queryOf(runId: string, more: Partial<KitQuery> = {}): KitQuery {
  return { runId, ownerId: "ada", since: 0, limit: 1_000, maxBytes: 4_194_304, ...more };
}

/** A run's whole log, page by page. */
export async function readLog(store: KitStore, runId: string): Promise<readonly StoredEvent[]> {
  const log: StoredEvent[] = [];
  for (;;) {
    const [page] = await store.read([queryOf(runId, { since: log.length })]);
    log.push(...(page?.events ?? []));
    if (page === undefined || page === null || log.length >= page.run.lastSequence) return log;
  }
}

/** The values that `appendOf` was given, from a run's log. */
export async function readValues(store: KitStore, runId: string): Promise<readonly unknown[]> {
  return (await readLog(store, runId)).map((event): unknown => JSON.parse(event.payload));
}

/** The ids of an owner's runs, newest first. */
export async function listIds(
  store: KitStore,
  runStatus: OwnerQuery["runStatus"] = null,
  topic: string | null = null,
): Promise<readonly string[]> {
  const which = { ownerId: "ada", runStatus, topic, before: null, limit: 100 };
  const runs = await store.listRuns(which);
  return runs.map(({ runId }) => runId);
}

/** 1, 2, … count. */
export function oneTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
