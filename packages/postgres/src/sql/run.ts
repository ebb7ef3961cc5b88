import {
  claimOfCreate,
  type CreateOutcome,
  type CreateRunRequest,
  type DeleteOutcome,
  INITIAL_STATE,
  judgeCreate,
  listedStatuses,
  outcomeOfClaim,
  type OwnedRun,
  placeQuery,
  type RunRecord,
  topicBusy,
} from "@tm/run-events-core/store";
import { runDamaged } from "../failure.ts";
import type { Query } from "../query.ts";
import type { Statements } from "./statements.ts";
import type { Tables } from "../tables.ts";
import {
  needsUnique,
  NOW_MS,
  ON_PRIMARY,
  RUN_COLUMNS,
  runColumns,
  type RunRow,
  runOf,
} from "./columns.ts";
import { claim, firstFence } from "./lease.ts";

/** A run's head. $1 its id. */
export function selectRunStatement({ runs }: Tables): string {
  return `SELECT ${runColumns("r")} FROM ${runs} r WHERE run_id = $1 AND ${ON_PRIMARY}`;
}

/**
 * Creates a run. $1-$6 its id, owner, status, phase, metadata and topic, $7 whether it is exclusive. Returns no row if another client
 * created a run with that id, or an exclusive one of that topic, meanwhile: then send it again.
 */
export function createRunStatement(tables: Tables): string {
  return createStatement(
    tables,
    `(${RUN_COLUMNS})
  SELECT $1, $2, $3, $4, 0, n.now_ms, n.now_ms, n.now_ms, $5, $6, $7::boolean FROM (SELECT ${NOW_MS} AS now_ms) n`,
  );
}

/**
 * Creates a run and claims it. $8 how long the lease lasts, $9 the claim's key, $10 the worker's name. The fence depends on the ordinal, so
 * the statement takes the ordinal itself.
 */
export function createClaimedStatement(tables: Tables): string {
  return createStatement(
    tables,
    `(${RUN_COLUMNS}, run_key, fence, lease_expires_at_ms, claim_key, worker, worker_fence)
  OVERRIDING SYSTEM VALUE
  SELECT $1, $2, $3, $4, 0, n.now_ms, n.now_ms, n.now_ms, $5, $6, $7::boolean, n.run_key, n.fence, n.now_ms + $8::bigint,
    n.fence::text || ' ' || $9::text, $10::text, n.fence
  FROM (
    SELECT m.*, ${firstFence("m.now_ms", "m.run_key")} AS fence
    FROM (
      SELECT ${NOW_MS} AS now_ms, nextval(pg_get_serial_sequence('${tables.runs}', 'run_key')) AS run_key
    ) m
  ) n`,
  );
}

/**
 * A live run of the topic keeps an exclusive one from being created. If two are created at the same time, the index of places
 * refuses the second. The statement fails without that index, or that of the ids.
 */
function createStatement({ runs }: Tables, row: string): string {
  // Each status is read from the index by itself.
  const live = listedStatuses("live")
    .map(
      (
        status,
      ) => `(SELECT * FROM ${runs} WHERE $7::boolean AND owner_id = $2 AND topic = $6 AND run_status = '${status}'
    ORDER BY run_key DESC LIMIT 1)`,
    )
    .join(" UNION ALL ");
  return `
WITH run_ids AS (${needsUnique(runs, RUN_COLUMNS, "run_id)")}),
places AS (${needsUnique(runs, RUN_COLUMNS, "owner_id, topic) WHERE exclusive AND finished_at_ms IS NULL")}),
busy AS (
  ${live} LIMIT 1
), made AS (
  INSERT INTO ${runs} AS r ${row}
  WHERE NOT EXISTS (SELECT FROM busy)
  ON CONFLICT DO NOTHING RETURNING r.*
)
SELECT 'created' AS outcome, ${runColumns("made")} FROM made
UNION ALL
SELECT 'existing', ${runColumns("r")} FROM ${runs} r WHERE run_id = $1
UNION ALL
SELECT 'topic_busy', ${runColumns("busy")} FROM busy WHERE NOT EXISTS (SELECT FROM ${runs} WHERE run_id = $1)`;
}

/**
 * Removes a run. $1 its id, $2 the owner. A finished run takes no append, so the statement sees all of its events.
 */
export function deleteRunStatement(tables: Tables): string {
  const { runs, events } = tables;
  return `
WITH gone AS (
  DELETE FROM ${runs} WHERE run_id = $1 AND ($2::text IS NULL OR owner_id = $2) AND finished_at_ms IS NOT NULL
  RETURNING run_key, owner_id
), gone_events AS (
  DELETE FROM ${events} e USING gone WHERE e.run_key = gone.run_key
)
SELECT (SELECT owner_id FROM gone) AS "ownerId",
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
 * Creates a run unless its id is in use, and claims it if asked to.
 * @see clauses S16 and S26 in `STORE.md`
 */
export async function createRun(
  query: Query,
  sql: Statements,
  request: CreateRunRequest,
): Promise<CreateOutcome> {
  const asked = claimOfCreate(request);
  const statement = asked === null ? sql.createRun : sql.createClaimed;
  const values = encodeCreation(request);
  for (let attempt = 0; attempt < FRUITLESS_ATTEMPTS; attempt++) {
    const [row] = (await query(statement, values)) as readonly (RunRow & {
      readonly outcome: "created" | "existing" | "topic_busy";
    })[];
    // No row: another process created the run, or took its place, while this statement ran. The next one sees it, unless it was deleted again.
    if (row === undefined) continue;
    if (row.outcome === "created") return { outcome: "created", run: runOf(row) };
    if (row.outcome === "topic_busy") return topicBusy(row);
    const judged = judgeCreate(runOf(row), request);
    if (judged !== null && (asked === null || judged.outcome === "taken")) return judged;
    if (asked === null) continue;
    const outcome = await claim(query, sql, asked);
    // Otherwise the run was deleted meanwhile.
    if (outcome.outcome !== "not_found") return outcomeOfClaim(outcome);
  }
  throw runDamaged(
    "takes its id, but its row is not visible, as where row-level security hides it",
  );
}

/** The parameters of the statement that creates the run. */
function encodeCreation(request: CreateRunRequest): unknown[] {
  const { runId, ownerId, metadata, topic = null } = request;
  const { runStatus, phase } = INITIAL_STATE;
  const asked = claimOfCreate(request);
  const { leaseMs, claimKey = null, worker = null } = asked ?? {};
  const head = [runId, ownerId, runStatus, phase, metadata, topic, placeQuery(request) !== null];
  return asked === null ? head : [...head, leaseMs, claimKey, worker];
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
): Promise<{ readonly outcome: DeleteOutcome; readonly removed: readonly OwnedRun[] }> {
  const [row] = (await query(sql.deleteRun, [runId, ownerId])) as readonly {
    /** Of the run, if it was removed. */
    readonly ownerId: string | null;
    readonly active: boolean;
  }[];
  const removedOf = row?.ownerId ?? null;
  if (removedOf !== null) return { outcome: "deleted", removed: [{ runId, ownerId: removedOf }] };
  return { outcome: row?.active ? "active" : "not_found", removed: [] };
}
