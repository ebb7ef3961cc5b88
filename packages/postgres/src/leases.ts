import { RunEventsError } from "@tm/run-events-core";
import {
  type ClaimRequest,
  claimRun,
  type ExpiredQuery,
  type LeaseOutcome,
  type ReleaseRequest,
  releaseRun,
  type RenewRequest,
  renewLease,
  type RunRecord,
} from "@tm/run-events-core/store";
import type { Query } from "./query.ts";
import { type BigintColumn, type RunRow, runOf } from "./rows.ts";
import type { Statements } from "./statements.ts";

interface LeaseRow extends RunRow {
  readonly granted: boolean;
  /** The server's clock. */
  readonly nowMs: BigintColumn;
}

/** How often in a row a run may neither take a change nor refuse it: each time others have changed it. */
const FRUITLESS_LOOKS = 100;

/** Gives a run to a worker, or the same lease again to the claim that got it. @see S21 */
export function claim(query: Query, sql: Statements, request: ClaimRequest): Promise<LeaseOutcome> {
  const { runId, ownerId, leaseMs, claimKey = null } = request;
  // The statement has compared the keys: a claim that it refused has another key.
  return changeLease(query, sql.claim, [runId, ownerId, leaseMs, claimKey], (run, nowMs) =>
    claimRun(run, request, nowMs, null),
  );
}

/** Extends a lease. @see S21 */
export function renew(query: Query, sql: Statements, request: RenewRequest): Promise<LeaseOutcome> {
  const { runId, ownerId, leaseMs, fence } = request;
  return changeLease(query, sql.renew, [runId, ownerId, leaseMs, fence], (run, nowMs) =>
    renewLease(run, request, nowMs),
  );
}

/** Ends a lease. @see S21 */
export function release(
  query: Query,
  sql: Statements,
  request: ReleaseRequest,
): Promise<LeaseOutcome> {
  const { runId, ownerId, fence } = request;
  return changeLease(query, sql.release, [runId, ownerId, fence], (run) =>
    releaseRun(run, request),
  );
}

/**
 * One statement, which decides, and answers the run as it was at its start if that was refused: so a refusal neither locks the
 * run nor waits for who has. If nothing refuses that run, another change came in between, and only a second look can say which.
 * @param judge the same rule, which says why
 */
async function changeLease(
  query: Query,
  statement: string,
  values: unknown[],
  judge: (run: RunRecord | null, nowMs: number) => LeaseOutcome,
): Promise<LeaseOutcome> {
  for (let look = 0; look < FRUITLESS_LOOKS; look++) {
    const [row] = (await query(statement, values)) as readonly LeaseRow[];
    if (row?.granted) return { outcome: "granted", run: runOf(row) };
    const outcome = row === undefined ? judge(null, 0) : judge(runOf(row), Number(row.nowMs));
    if (outcome.outcome !== "granted") return outcome;
  }
  throw new RunEventsError("store_unavailable", "The lease met others' changes at every try.");
}

/** Runs whose lease ran out `graceMs` ago or earlier, from an index. @see S23 */
export async function listExpired(
  query: Query,
  sql: Statements,
  { graceMs, limit }: ExpiredQuery,
): Promise<readonly string[]> {
  const rows = (await query(sql.listExpired, [graceMs, limit])) as readonly {
    readonly runId: string;
  }[];
  return rows.map(({ runId }) => runId);
}
