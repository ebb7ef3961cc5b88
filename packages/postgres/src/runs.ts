import {
  type CreateOutcome,
  type CreateRunRequest,
  type DeleteOutcome,
  INITIAL_STATE,
  type ListQuery,
  type PurgeRequest,
  type RunRecord,
} from "@tm/run-events-core/store";
import { runDamaged } from "./failure.ts";
import type { Query } from "./query.ts";
import { type RunRow, runOf } from "./rows.ts";
import type { Statements } from "./statements.ts";

/** How often in a row a run may be neither created nor found: others create and remove it in between. */
const FRUITLESS_LOOKS = 100;

/** A run's head, `null` if there is none. */
export async function selectRun(
  query: Query,
  sql: Statements,
  runId: string,
): Promise<RunRecord | null> {
  const [row] = (await query(sql.selectRun, [runId])) as readonly RunRow[];
  return row === undefined ? null : runOf(row);
}

/** Makes a run unless its id is in use. @see S16 */
export async function createRun(
  query: Query,
  sql: Statements,
  request: CreateRunRequest,
): Promise<CreateOutcome> {
  const { runId, ownerId, metadata } = request;
  const { runStatus, phase } = INITIAL_STATE;
  const values = [runId, ownerId, runStatus, phase, metadata];
  for (let look = 0; look < FRUITLESS_LOOKS; look++) {
    const [row] = (await query(sql.createRun, values)) as readonly (RunRow & {
      readonly created: boolean;
    })[];
    // No row: another process made the run while this statement ran, so the next one sees it, or it is gone again.
    if (row === undefined) continue;
    if (row.created) return { outcome: "created", run: runOf(row) };
    return row.ownerId === ownerId
      ? { outcome: "existing", run: runOf(row) }
      : { outcome: "taken" };
  }
  throw runDamaged("takes its id, but its row is not seen, as where row-level security hides it");
}

/** An owner's runs, newest first, from an index whatever the status. @see S12 */
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

/** Removes a finished run with its events. @see S17 */
export async function deleteRun(
  query: Query,
  sql: Statements,
  runId: string,
  ownerId: string | null,
): Promise<DeleteOutcome> {
  const [row] = (await query(sql.deleteRun, [runId, ownerId])) as readonly {
    readonly gone: boolean;
    readonly active: boolean;
  }[];
  if (row?.gone) return "deleted";
  return row?.active ? "active" : "not_found";
}

/**
 * Removes the runs that finished first, with their events. Those that somebody holds are skipped; only when no others are left
 * it waits for one of them, since none means that none is left.
 * @returns their ids
 * @see S24
 */
export async function purgeRuns(
  query: Query,
  sql: Statements,
  { finishedForMs, limit }: PurgeRequest,
): Promise<readonly string[]> {
  type Gone = readonly { readonly runId: string }[];
  let gone = (await query(sql.purge, [finishedForMs, limit])) as Gone;
  if (gone.length === 0) gone = (await query(sql.purgeOne, [finishedForMs, 1])) as Gone;
  return gone.map(({ runId }) => runId);
}
