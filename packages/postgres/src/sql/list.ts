import type { ListQuery, RunRecord } from "@tm/run-events-core/store";
import type { Query } from "../query.ts";
import type { Statements } from "./statements.ts";
import type { Tables } from "../tables.ts";
import { ON_PRIMARY, runColumns, type RunRow, runOf } from "./columns.ts";

/** An owner's runs. $1 the owner, $2 the ordinal before which, $3 how many. */
export function listRunsStatement({ runs }: Tables): string {
  return `
SELECT ${runColumns("r")} FROM ${runs} r WHERE owner_id = $1 AND run_key < $2 AND ${ON_PRIMARY}
ORDER BY run_key DESC LIMIT $3`;
}

/** The same in one status, $4. */
export function listRunsByStatusStatement({ runs }: Tables): string {
  return `
SELECT ${runColumns("r")} FROM ${runs} r WHERE owner_id = $1 AND run_key < $2 AND run_status = $4 AND ${ON_PRIMARY}
ORDER BY run_key DESC LIMIT $3`;
}

/**
 * An owner's runs, newest first, from an index for any status.
 * @see clause S12 in `STORE.md`
 */
export async function listRuns(
  query: Query,
  sql: Statements,
  { ownerId, runStatus, before, limit }: ListQuery,
): Promise<readonly RunRecord[]> {
  const range = [ownerId, before ?? Number.MAX_SAFE_INTEGER, limit];
  const rows =
    runStatus === null
      ? await query(sql.listRuns, range)
      : await query(sql.listRunsByStatus, [...range, runStatus]);
  return (rows as readonly RunRow[]).map(runOf);
}
