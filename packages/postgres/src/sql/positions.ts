import type { RunPosition } from "@tm/run-events-core/store";
import type { Query } from "../query.ts";
import type { Statements } from "./statements.ts";
import type { Tables } from "../tables.ts";
import { type BigintColumn, ON_PRIMARY } from "./columns.ts";

/** How far the logs of runs go. $1 their ids. */
export function selectPositionsStatement({ runs }: Tables): string {
  return `
SELECT r.run_id AS "runId", r.run_key AS ordinal, r.last_sequence AS "lastSequence"
FROM unnest($1::text[]) AS q (run_id) JOIN ${runs} r ON r.run_id = q.run_id AND ${ON_PRIMARY}`;
}

interface PositionRow {
  readonly runId: string;
  readonly ordinal: BigintColumn;
  readonly lastSequence: BigintColumn;
}

/** The positions of those runs that exist. */
export async function selectPositions(
  query: Query,
  sql: Pick<Statements, "selectPositions">,
  runIds: readonly string[],
): Promise<readonly RunPosition[]> {
  const rows = (await query(sql.selectPositions, [runIds])) as readonly PositionRow[];
  return rows.map(({ runId, ordinal, lastSequence }) => ({
    runId,
    ordinal: Number(ordinal),
    lastSequence: Number(lastSequence),
  }));
}
