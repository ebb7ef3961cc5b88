import { RunEventsError } from "@tm/run-events-core";
import {
  claimRule,
  type ClaimRequest,
  type LeaseOutcome,
  type LeaseRule,
  type ReleaseRequest,
  releaseRule,
  type RenewRequest,
  renewRule,
} from "@tm/run-events-core/store";
import type { Query } from "../query.ts";
import type { Statements } from "./statements.ts";
import type { Tables } from "../tables.ts";
import { type BigintColumn, NOW_MS, runColumns, type RunRow, runOf } from "./columns.ts";

/** The fence of the first claim of a run, by the time and the ordinal: this is core's `nextFence`. */
export function firstFence(nowMs: string, runKey: string): string {
  return `(${nowMs} * 1000 + ${runKey} % 1000)`;
}

/** The fence of a claim of the run `r`: this is core's `nextFence`. */
const NEXT_FENCE = `(greatest(${NOW_MS} * 1000, r.fence - r.fence % 1000 + 1000) + r.run_key % 1000)`;

/**
 * Changes a lease, and returns a row with whether the run took the change. If not, the row is the run as it was when the statement
 * began. A refusal takes no lock and does not wait. $1 the run's id, $2 the owner.
 * @param again the condition under which the run already has the change
 */
function changeLeaseStatement(
  runs: string,
  change: string,
  condition: string,
  again = "false",
): string {
  return `
WITH changed AS (
  UPDATE ${runs} r SET ${change}
  WHERE r.run_id = $1 AND r.finished_at_ms IS NULL AND ($2::text IS NULL OR r.owner_id = $2) AND ${condition}
  RETURNING r.*
)
SELECT true AS granted, ${NOW_MS} AS "nowMs", ${runColumns("changed")} FROM changed
UNION ALL
SELECT ${again}, ${NOW_MS}, ${runColumns("r")} FROM ${runs} r WHERE r.run_id = $1 AND NOT EXISTS (SELECT FROM changed)`;
}

/** $3 how long the lease lasts, $4 the claim's key, kept as from core's `encodeKeptClaim`, $5 the worker's name. */
export function claimStatement({ runs }: Tables): string {
  return changeLeaseStatement(
    runs,
    `fence = ${NEXT_FENCE}, lease_expires_at_ms = ${NOW_MS} + $3::bigint,
      claim_key = ${NEXT_FENCE}::text || ' ' || $4::text, worker = $5::text, worker_fence = ${NEXT_FENCE}`,
    `(r.lease_expires_at_ms IS NULL OR r.lease_expires_at_ms <= ${NOW_MS})`,
    `coalesce(r.claim_key = r.fence::text || ' ' || $4::text AND r.lease_expires_at_ms > ${NOW_MS}
      AND r.finished_at_ms IS NULL AND ($2::text IS NULL OR r.owner_id = $2), false)`,
  );
}

/** $3 how long the lease lasts, $4 the fence. */
export function renewStatement({ runs }: Tables): string {
  return changeLeaseStatement(
    runs,
    `lease_expires_at_ms = ${NOW_MS} + $3::bigint`,
    "r.fence = $4::bigint AND r.lease_expires_at_ms IS NOT NULL",
  );
}

/** $3 the fence. The time since when the run is idle is core's `idleFromAfterRelease`. */
export function releaseStatement({ runs }: Tables): string {
  return changeLeaseStatement(
    runs,
    `lease_expires_at_ms = NULL, idle_from_ms = CASE WHEN r.run_status = 'queued' OR r.lease_expires_at_ms IS NULL
      THEN r.idle_from_ms ELSE greatest(r.idle_from_ms, ${NOW_MS}) END`,
    "r.fence = $3::bigint",
  );
}

interface LeaseRow extends RunRow {
  readonly granted: boolean;
  /** The server's clock. */
  readonly nowMs: BigintColumn;
}

/** How often in a row a run may neither take a change nor refuse it, since others changed it each time. */
const FRUITLESS_ATTEMPTS = 100;

/**
 * Gives a run to a worker, or the same lease again to the claim that got it.
 * @see clause S21 in `STORE.md`
 */
export function claim(query: Query, sql: Statements, request: ClaimRequest): Promise<LeaseOutcome> {
  const { runId, ownerId, leaseMs, claimKey = null, worker = null } = request;
  const values = [runId, ownerId, leaseMs, claimKey, worker];
  return changeLease(query, sql.claim, values, claimRule(request));
}

/**
 * Extends a lease.
 * @see clause S21 in `STORE.md`
 */
export function renew(query: Query, sql: Statements, request: RenewRequest): Promise<LeaseOutcome> {
  const { runId, ownerId, leaseMs, fence } = request;
  return changeLease(query, sql.renew, [runId, ownerId, leaseMs, fence], renewRule(request));
}

/**
 * Ends a lease.
 * @see clause S21 in `STORE.md` of `@tm/run-events-core`
 */
export function release(
  query: Query,
  sql: Statements,
  request: ReleaseRequest,
): Promise<LeaseOutcome> {
  const { runId, ownerId, fence } = request;
  return changeLease(query, sql.release, [runId, ownerId, fence], releaseRule(request));
}

/**
 * One statement decides, and after a refusal returns the run as it was at the statement's start. So a refusal neither locks the run
 * nor waits for its lock. If the rule does not refuse that run, another change came in between, and the statement is sent
 * again.
 * @param rule finds why the change was refused. It need not compare a claim's key: the statement has done so.
 */
async function changeLease(
  query: Query,
  statement: string,
  values: unknown[],
  rule: LeaseRule,
): Promise<LeaseOutcome> {
  for (let attempt = 0; attempt < FRUITLESS_ATTEMPTS; attempt++) {
    const [row] = (await query(statement, values)) as readonly LeaseRow[];
    if (row?.granted) return { outcome: "granted", run: runOf(row) };
    const head = row === undefined ? null : { ...runOf(row), keptClaim: null };
    const { outcome } = rule(head, Number(row?.nowMs ?? 0));
    if (outcome.outcome !== "granted") return outcome;
  }
  throw new RunEventsError(
    "store_unavailable",
    `Other clients changed the run during each of ${FRUITLESS_ATTEMPTS} attempts. Try again.`,
  );
}
