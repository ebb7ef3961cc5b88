import type { DueTime, IdleRun, RowMoves } from "@tm/run-events-core/store";
import { prepareStatement, type Statement } from "../handle.ts";
import type { SqliteDatabase } from "../driver.ts";
import type { Tables } from "../tables.ts";

/**
 * Prepares the statements that select runs whose leases expired, that finished, or that no worker works on, each from an index.
 * @see clauses S23, S24 and S28 in `STORE.md`
 */
export function prepareDue(
  db: SqliteDatabase,
  { runs }: Tables,
): Pick<RowMoves, "selectDue" | "selectIdle"> {
  // The remains of removed runs have a time below 0.
  const select = (column: string): Statement =>
    prepareStatement(
      db,
      `SELECT run_id AS runId FROM ${runs} WHERE ${column} >= 0 AND ${column} <= +? ORDER BY ${column} LIMIT ? + 0`,
    );
  const statements: Readonly<Record<DueTime, Statement>> = {
    leaseExpiresAtMs: select("lease_expires_at_ms"),
    finishedAtMs: select("finished_at_ms"),
  };
  // The whole condition of the index, so that SQLite takes it.
  const idle = prepareStatement(
    db,
    `SELECT run_id AS runId, run_status AS runStatus, created_at_ms AS createdAtMs, updated_at_ms AS updatedAtMs,
       idle_from_ms AS idleFromMs, lease_expires_at_ms AS leaseExpiresAtMs
     FROM ${runs} WHERE run_status = +? AND finished_at_ms IS NULL AND lease_expires_at_ms IS NULL AND idle_from_ms <= +?
     ORDER BY idle_from_ms LIMIT ? + 0`,
  );
  return {
    selectIdle: (runStatus, untilMs, limit) =>
      idle.all(runStatus, untilMs, limit) as readonly (IdleRun & { readonly runId: string })[],
    selectDue(time, untilMs, limit) {
      const rows = statements[time].all(untilMs, limit) as readonly { readonly runId: string }[];
      return rows.map(({ runId }) => runId);
    },
  };
}
