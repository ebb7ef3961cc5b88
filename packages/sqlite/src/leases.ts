import type { ExpiredQuery, LeaseOutcome, RunRecord } from "@tm/run-events-core";
import { selectRun } from "./runs.ts";
import type { Statements } from "./statements.ts";

/**
 * Claims, renews or releases a run inside an open write transaction: nobody comes between the look and the change.
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
