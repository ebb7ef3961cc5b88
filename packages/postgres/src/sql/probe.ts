import type { Tables } from "../tables.ts";
import { needsKeyIndex, needsUnique, NOW_MS, RUN_COLUMNS } from "./columns.ts";

/**
 * Needs the locks, the rights and the indexes of an append, and commits a record that is in no table. So the commit waits for the
 * disk and a synchronous standby, and leaves no row to be removed.
 */
export function probeStatement(tables: Tables): string {
  const { runs } = tables;
  return `
WITH run_ids AS (${needsUnique(runs, RUN_COLUMNS, "run_id)")}), key_index AS (${needsKeyIndex(tables)}),
  heads AS (UPDATE ${runs} SET last_sequence = last_sequence WHERE false)
SELECT ${NOW_MS} AS "nowMs", pg_logical_emit_message(true, 'run_events', '')`;
}
