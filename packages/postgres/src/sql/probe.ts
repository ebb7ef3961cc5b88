import type { Tables } from "../tables.ts";
import { needsKeyIndex, needsUnique, NOW_MS, RUN_COLUMNS } from "./columns.ts";

/** How many numbers are more than `work_mem` below holds: a few hundred kilobytes go to a file. */
const SPILLED = 20_000;

/**
 * Needs the locks, the rights and the indexes of an append, and commits a record that is in no table. So the commit waits for the
 * disk and a synchronous standby, and leaves no row to be removed. The segment of the log that takes the record has its room already,
 * so a full disk would not refuse it. It refuses the temporary file, which goes where the database's tables are, and is gone with the
 * statement.
 */
export function probeStatement(tables: Tables): string {
  const { runs } = tables;
  return `
WITH run_ids AS (${needsUnique(runs, RUN_COLUMNS, "run_id)")}), key_index AS (${needsKeyIndex(tables)}),
  heads AS (UPDATE ${runs} SET last_sequence = last_sequence WHERE false),
  settings AS MATERIALIZED (SELECT set_config('work_mem', '64kB', true), set_config('temp_tablespaces', '', true)),
  file AS MATERIALIZED (SELECT count(*) AS spilled FROM settings, LATERAL generate_series(1, ${SPILLED} + length(settings::text) * 0))
SELECT ${NOW_MS} AS "nowMs", pg_logical_emit_message(true, 'run_events', ''), spilled FROM file`;
}
