import type { RunName } from "@tm/run-events-core/store";
import type { Query } from "../query.ts";
import type { Tables } from "../tables.ts";
import type { Statements } from "../statements.ts";

/** Locks the runs that exist until the end of the transaction, in the order in which commits lock them. $1 owners, $2 ids. */
export function lockStatement({ runs }: Tables): string {
  return `
SELECT FROM ${runs} r JOIN unnest($1::text[], $2::text[]) AS q (owner_id, run_id) ON r.owner_id = q.owner_id AND r.run_id = q.run_id
ORDER BY r.run_key FOR UPDATE OF r`;
}

/** Locks runs, and waits for the transactions that have them. */
export async function lockRuns(
  query: Query,
  sql: Pick<Statements, "lock">,
  names: readonly RunName[],
): Promise<void> {
  await query(sql.lock, [names.map(({ ownerId }) => ownerId), names.map(({ runId }) => runId)]);
}
