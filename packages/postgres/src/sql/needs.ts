import type { Tables } from "../tables.ts";
import { EVENT_COLUMNS, needsKeyIndex, needsUnique, RUN_COLUMNS } from "./columns.ts";

/** SQL: the columns of the index that lets a topic have one exclusive run that has not finished. */
export const PLACE = "owner_id, topic) WHERE exclusive AND due_kind <> 'finished'";

/**
 * Fails without one of the unique indexes, or without a right to insert. Its plan alone shows that, so that it passes on a server that is
 * read-only.
 */
export function needsStatement(tables: Tables): string {
  const { runs, events } = tables;
  return `
EXPLAIN WITH ordinals AS (${needsUnique(runs, RUN_COLUMNS, "run_key)")}), names AS (${needsUnique(runs, RUN_COLUMNS, "owner_id, run_id)")}),
  places AS (${needsUnique(runs, RUN_COLUMNS, PLACE)}), sequences AS (${needsUnique(events, EVENT_COLUMNS, "run_key, sequence)")}),
  keys AS (${needsKeyIndex(tables)})
SELECT`;
}
