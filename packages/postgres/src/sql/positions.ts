import type { RunName } from "@tm/run-events-core/store";
import type { Position } from "../run-changes.ts";
import type { Query } from "../query.ts";
import type { Statements } from "../statements.ts";
import type { Tables } from "../tables.ts";
import { type BigintColumn, ON_PRIMARY } from "./columns.ts";

/** The last sequences of runs. $1 their owners, $2 their ids. */
export function selectPositionsStatement({ runs }: Tables): string {
  return `
SELECT r.owner_id AS "ownerId", r.run_id AS "runId", r.run_key AS ordinal, r.last_sequence AS "lastSequence"
FROM unnest($1::text[], $2::text[]) AS q (owner_id, run_id)
JOIN ${runs} r ON r.owner_id = q.owner_id AND r.run_id = q.run_id AND ${ON_PRIMARY}`;
}

interface PositionRow extends RunName {
  readonly ordinal: BigintColumn;
  readonly lastSequence: BigintColumn;
}

/** The positions of those runs that exist. */
export async function selectPositions(
  query: Query,
  sql: Pick<Statements, "selectPositions">,
  names: readonly RunName[],
): Promise<readonly Position[]> {
  const rows = (await query(sql.selectPositions, [
    names.map(({ ownerId }) => ownerId),
    names.map(({ runId }) => runId),
  ])) as readonly PositionRow[];
  return rows.map(({ ownerId, runId, ordinal, lastSequence }) => ({
    ownerId,
    runId,
    ordinal: Number(ordinal),
    lastSequence: Number(lastSequence),
  }));
}
