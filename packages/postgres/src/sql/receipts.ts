import type { RunStatus } from "@tm/run-events-core";
import type { Tables } from "../tables.ts";
import { type BigintColumn, NOW_MS, ON_PRIMARY, runColumns, type RunRow } from "./columns.ts";

/** A run's head, and the append of a key on it. */
export interface ReceiptRow extends RunRow {
  readonly at: BigintColumn;
  /** The server's clock. */
  readonly nowMs: BigintColumn;
  readonly keySequence: BigintColumn | null;
  readonly keyEvents: number | null;
  /** The run's state right after that append. */
  readonly keyStatus: RunStatus;
  readonly keyPhase: string | null;
}

/**
 * The heads of runs, and the appends of keys. $1 run ids, $2 keys. It takes the first key at or after the requested one: with a
 * comparison of rows the planner uses the index of the keys, and would otherwise scan the run.
 */
export function selectReceiptsStatement(tables: Tables): string {
  const { runs, events } = tables;
  return `
SELECT q.at, ${NOW_MS} AS "nowMs", ${runColumns("r")}, k.sequence AS "keySequence", k.key_events AS "keyEvents",
  k.key_status AS "keyStatus", k.key_phase AS "keyPhase"
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS q (run_id, key, at)
JOIN ${runs} r ON r.run_id = q.run_id AND ${ON_PRIMARY}
LEFT JOIN LATERAL (
  SELECT e.run_key, e.idempotency_key, e.sequence, e.key_events, e.key_status, e.key_phase FROM ${events} e
  WHERE (e.run_key, e.idempotency_key) >= (r.run_key, q.key) AND e.idempotency_key IS NOT NULL
  ORDER BY e.run_key, e.idempotency_key LIMIT 1
) k ON k.run_key = r.run_key AND k.idempotency_key = q.key
ORDER BY q.at`;
}
