import type { ExpiredQuery, IdleQuery, OwnedRun, PurgeRequest } from "@tm/run-events-core/store";
import type { Query } from "../query.ts";
import type { Statements } from "./statements.ts";
import type { Tables } from "../tables.ts";
import { idleSince, NOW_MS } from "./columns.ts";

/** A purge ends with the run that reaches this many events: it is one transaction, and others see its runs until it commits. */
const PURGE_EVENTS = 10_000;

/**
 * Runs whose leases expired. $1 how long ago, $2 how many. Skips runs that another transaction holds: the reaper's append to them would
 * wait, and delay all the others.
 */
export function listExpiredStatement({ runs }: Tables): string {
  return `
SELECT run_id AS "runId" FROM ${runs} WHERE lease_expires_at_ms <= ${NOW_MS} - $1::bigint
ORDER BY lease_expires_at_ms LIMIT $2 FOR SHARE SKIP LOCKED`;
}

/** How many runs a call of `listIdle` looks at, at least and at most. */
const LEAST_CANDIDATES = 50;
const MOST_CANDIDATES = 1_000;

/**
 * Runs that no worker works on. $1 their status, $2 for how long, $3 how many. The index may have a run too early, since an append does not
 * write it: the statement gives it the time of such a run. It skips runs that another transaction holds, as the list of expired ones.
 */
export function listIdleStatement({ runs }: Tables): string {
  return `
WITH candidates AS MATERIALIZED (
  SELECT r.run_key, r.run_id, r.idle_from_ms, ${idleSince("r")} AS since FROM ${runs} r
  WHERE r.run_status = $1 AND r.finished_at_ms IS NULL AND r.lease_expires_at_ms IS NULL
    AND r.idle_from_ms <= ${NOW_MS} - $2::bigint
  ORDER BY r.idle_from_ms LIMIT least(greatest($3::bigint, ${LEAST_CANDIDATES}), ${MOST_CANDIDATES})
  FOR NO KEY UPDATE SKIP LOCKED
), put_off AS (
  UPDATE ${runs} SET idle_from_ms = since FROM candidates c WHERE ${runs}.run_key = c.run_key AND since > c.idle_from_ms
)
SELECT run_id AS "runId" FROM candidates WHERE since <= ${NOW_MS} - $2::bigint ORDER BY since LIMIT $3::bigint`;
}

/**
 * Removes runs that finished. $1 how long ago, $2 how many. The run that reaches the bound is the last. The keys are in an array,
 * since a join might scan all events.
 * @param locking whether the statement waits for runs that another transaction holds, or skips them
 */
export function purgeStatement(tables: Tables, locking: "" | "SKIP LOCKED"): string {
  const { runs, events } = tables;
  return `
WITH old AS MATERIALIZED (
  SELECT run_key, run_id, owner_id, last_sequence, finished_at_ms FROM ${runs} WHERE finished_at_ms <= ${NOW_MS} - $1::bigint
  ORDER BY finished_at_ms LIMIT least($2::bigint, ${PURGE_EVENTS}) FOR UPDATE ${locking}
), few AS MATERIALIZED (
  SELECT * FROM (
    SELECT *, sum(last_sequence) OVER (ORDER BY finished_at_ms, run_key) - last_sequence AS events_before FROM old
  ) o WHERE events_before < ${PURGE_EVENTS}
), gone AS (
  DELETE FROM ${runs} WHERE run_key = ANY (ARRAY(SELECT run_key FROM few))
), gone_events AS (
  DELETE FROM ${events} WHERE run_key = ANY (ARRAY(SELECT run_key FROM few))
)
SELECT run_id AS "runId", owner_id AS "ownerId" FROM few ORDER BY finished_at_ms, run_key`;
}

/**
 * Runs whose lease expired `graceMs` ago or earlier, from an index.
 * @see clause S23 in `STORE.md`
 */
export async function listExpired(
  query: Query,
  sql: Statements,
  { graceMs, limit }: ExpiredQuery,
): Promise<readonly string[]> {
  const rows = (await query(sql.listExpired, [graceMs, limit])) as readonly {
    readonly runId: string;
  }[];
  return rows.map(({ runId }) => runId);
}

/**
 * Runs of a status that no worker has worked on for `idleForMs` or longer, from an index.
 * @see clause S28 in `STORE.md`
 */
export async function listIdle(
  query: Query,
  sql: Statements,
  { runStatus, idleForMs, limit }: IdleQuery,
): Promise<readonly string[]> {
  const rows = (await query(sql.listIdle, [runStatus, idleForMs, limit])) as readonly {
    readonly runId: string;
  }[];
  return rows.map(({ runId }) => runId);
}

/**
 * Removes the runs that finished first, with their events. It skips runs that another transaction holds. If only such runs are left, it
 * waits for one of them, since an empty answer means that no run is left.
 * @see clause S24 in `STORE.md`
 */
export async function purgeRuns(
  query: Query,
  sql: Statements,
  { finishedForMs, limit }: PurgeRequest,
): Promise<readonly OwnedRun[]> {
  const purged = (await query(sql.purge, [finishedForMs, limit])) as readonly OwnedRun[];
  if (purged.length > 0) return purged;
  return (await query(sql.purgeOne, [finishedForMs, 1])) as readonly OwnedRun[];
}
