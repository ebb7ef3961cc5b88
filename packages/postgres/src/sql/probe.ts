import type { Query } from "../query.ts";
import type { Statements } from "../statements.ts";
import type { Tables } from "../tables.ts";
import { type BigintColumn, NOW_MS } from "./columns.ts";

/** The number of texts, and the bytes of each: more than the statement's `work_mem` holds, so that they go to a file. */
const TEXTS = 40;
const TEXT_BYTES = 8_000;

/**
 * Needs the locks and the rights of an append, and commits a record that is in no table. The commit therefore waits for the
 * disk and a synchronous standby, and leaves no row to be removed. The log's segment has its room on the disk already, so the record alone
 * would not fail on a full disk. The temporary file does: it is written where the database's tables are, and is removed with the statement.
 * The next ordinal is only taken if that fails.
 */
export function probeStatement({ runs, ordinals }: Tables): string {
  return `
WITH heads AS (UPDATE ${runs} SET last_sequence = last_sequence WHERE false),
  settings AS MATERIALIZED (SELECT set_config('work_mem', '64kB', true) || set_config('temp_tablespaces', '', true) AS texts),
  file AS MATERIALIZED (SELECT count(*) AS texts FROM settings, LATERAL
    unnest(array_fill(repeat('x', ${TEXT_BYTES} + 0 * length(settings.texts)), ARRAY[${TEXTS}])))
SELECT ${NOW_MS} AS "nowMs", pg_logical_emit_message(true, 'run_events', ''), file.texts,
  CASE WHEN NOT has_sequence_privilege('${ordinals}', 'USAGE, UPDATE') THEN nextval('${ordinals}') END
FROM file`;
}

/** Commits the record. @returns the server's clock */
export async function sendProbe(query: Query, sql: Pick<Statements, "probe">): Promise<number> {
  const [row] = (await query(sql.probe)) as readonly [{ readonly nowMs: BigintColumn }];
  return Number(row.nowMs);
}
