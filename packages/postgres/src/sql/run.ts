import {
  type CreateOutcome,
  type CreateRunRequest,
  type DeleteOutcome,
  INITIAL_STATE,
  judgeCreate,
  type RunRecord,
} from "@tm/run-events-core/store";
import { runDamaged } from "../failure.ts";
import type { Query } from "../query.ts";
import type { Statements } from "./statements.ts";
import type { Tables } from "../tables.ts";
import { NOW_MS, ON_PRIMARY, RUN_COLUMNS, runColumns, type RunRow, runOf } from "./columns.ts";

/** A run's head. $1 its id. */
export function selectRunStatement({ runs }: Tables): string {
  return `SELECT ${runColumns("r")} FROM ${runs} r WHERE run_id = $1 AND ${ON_PRIMARY}`;
}

/**
 * Creates a run. $1-$6 its id, owner, status, phase, metadata and topic. Returns no row if another client created a run with that id
 * meanwhile: then send it again.
 */
export function createRunStatement({ runs }: Tables): string {
  return `
WITH made AS (
  INSERT INTO ${runs} AS r (${RUN_COLUMNS})
  SELECT $1, $2, $3, $4, 0, n.now_ms, n.now_ms, n.now_ms, $5, $6 FROM (SELECT ${NOW_MS} AS now_ms) n
  ON CONFLICT (run_id) DO NOTHING RETURNING r.*
)
SELECT true AS created, ${runColumns("made")} FROM made
UNION ALL
SELECT false, ${runColumns("r")} FROM ${runs} r WHERE run_id = $1`;
}

/**
 * Removes a run. $1 its id, $2 the owner. A finished run takes no append, so the statement sees all of its events.
 */
export function deleteRunStatement({ runs, events }: Tables): string {
  return `
WITH gone AS (
  DELETE FROM ${runs} WHERE run_id = $1 AND ($2::text IS NULL OR owner_id = $2) AND finished_at_ms IS NOT NULL
  RETURNING run_key
), gone_events AS (
  DELETE FROM ${events} e USING gone WHERE e.run_key = gone.run_key
)
SELECT EXISTS (SELECT FROM gone) AS deleted,
  EXISTS (SELECT FROM ${runs} WHERE run_id = $1 AND ($2::text IS NULL OR owner_id = $2) AND finished_at_ms IS NULL) AS active`;
}

/** How often in a row a run may be neither created nor found, since others create and remove it in between. */
const FRUITLESS_ATTEMPTS = 100;

/** A run's head, or `null` if the run does not exist. */
export async function selectRun(
  query: Query,
  sql: Statements,
  runId: string,
): Promise<RunRecord | null> {
  const [row] = (await query(sql.selectRun, [runId])) as readonly RunRow[];
  return row === undefined ? null : runOf(row);
}

/**
 * Creates a run unless its id is in use.
 * @see clause S16 in `STORE.md`
 */
export async function createRun(
  query: Query,
  sql: Statements,
  request: CreateRunRequest,
): Promise<CreateOutcome> {
  const { runId, ownerId, metadata, topic = null } = request;
  const { runStatus, phase } = INITIAL_STATE;
  const values = [runId, ownerId, runStatus, phase, metadata, topic];
  for (let attempt = 0; attempt < FRUITLESS_ATTEMPTS; attempt++) {
    const [row] = (await query(sql.createRun, values)) as readonly (RunRow & {
      readonly created: boolean;
    })[];
    // No row: another process created the run while this statement ran. The next one sees it, unless it was deleted again.
    if (row === undefined) continue;
    if (row.created) return { outcome: "created", run: runOf(row) };
    const outcome = judgeCreate(runOf(row), request);
    if (outcome !== null) return outcome;
  }
  throw runDamaged(
    "takes its id, but its row is not visible, as where row-level security hides it",
  );
}

/**
 * Removes a finished run with its events.
 * @see clause S17 in `STORE.md`
 */
export async function deleteRun(
  query: Query,
  sql: Statements,
  runId: string,
  ownerId: string | null,
): Promise<DeleteOutcome> {
  const [row] = (await query(sql.deleteRun, [runId, ownerId])) as readonly {
    readonly deleted: boolean;
    readonly active: boolean;
  }[];
  if (row?.deleted) return "deleted";
  return row?.active ? "active" : "not_found";
}
