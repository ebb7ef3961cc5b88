import {
  type ClaimRequest,
  claimRun,
  encodeKeptClaim,
  type ExpiredQuery,
  keptKeyOf,
  type LeaseOutcome,
  type RunRecord,
} from "@tm/run-events-core/store";
import { selectRun } from "./runs.ts";
import type { Statements } from "./statements.ts";

/**
 * Claims a run inside an open write transaction. The claim's key is kept with its fence, so that it is invalid for a lease of a
 * program that keeps no keys.
 * @see S21
 */
export function claim(sql: Statements, request: ClaimRequest, nowMs: number): LeaseOutcome {
  const run = selectRun(sql, request.runId);
  const outcome = claimRun(run, request, nowMs, run === null ? null : keptKey(sql, run));
  if (outcome.outcome === "granted") {
    const { fence, leaseExpiresAtMs, ordinal } = outcome.run;
    const { claimKey } = request;
    const kept = claimKey === undefined ? null : encodeKeptClaim(fence, claimKey);
    sql.setClaim.run(fence, leaseExpiresAtMs, kept, ordinal);
  }
  return outcome;
}

function keptKey(sql: Statements, run: RunRecord): string | null {
  const row = sql.selectClaimKey.get(run.ordinal) as { readonly claimKey: string | null };
  return keptKeyOf(run, row.claimKey);
}

/**
 * Renews or releases a run inside an open write transaction: no other write comes between the read and the change.
 * @param judge the rule, from the run's head, `null` if there is none
 * @see S21
 */
export function changeLease(
  sql: Statements,
  runId: string,
  judge: (run: RunRecord | null) => LeaseOutcome,
): LeaseOutcome {
  const outcome = judge(selectRun(sql, runId));
  if (outcome.outcome === "granted") {
    const { fence, leaseExpiresAtMs, ordinal } = outcome.run;
    sql.setLease.run(fence, leaseExpiresAtMs, ordinal);
  }
  return outcome;
}

/** Runs whose lease ran out `graceMs` before now or earlier, from an index. @see S23 */
export function listExpired(
  sql: Statements,
  { graceMs, limit }: ExpiredQuery,
  nowMs: number,
): readonly string[] {
  const rows = sql.listExpired.all(nowMs - graceMs, limit) as readonly {
    readonly runId: string;
  }[];
  return rows.map(({ runId }) => runId);
}
