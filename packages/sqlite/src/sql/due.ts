import type { DueTime, RowMoves } from "@tm/run-events-core/store";
import { prepareStatement, type Statement } from "../handle.ts";
import type { SqliteDatabase } from "../driver.ts";
import type { Tables } from "../tables.ts";

/**
 * Prepares the statements that select runs whose leases expired, or that finished, each from an index.
 * @see clauses S23 and S24 in `STORE.md`
 */
export function prepareDue(db: SqliteDatabase, { runs }: Tables): Pick<RowMoves, "selectDue"> {
  const select = (column: string): Statement =>
    prepareStatement(
      db,
      `SELECT run_id AS runId FROM ${runs} WHERE ${column} <= +? ORDER BY ${column} LIMIT ? + 0`,
    );
  const statements: Readonly<Record<DueTime, Statement>> = {
    leaseExpiresAtMs: select("lease_expires_at_ms"),
    finishedAtMs: select("finished_at_ms"),
  };
  return {
    selectDue(time, untilMs, limit) {
      const rows = statements[time].all(untilMs, limit) as readonly { readonly runId: string }[];
      return rows.map(({ runId }) => runId);
    },
  };
}
