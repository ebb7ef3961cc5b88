import {
  changedWork,
  type ChangedQuery,
  type ChangedRuns,
  type ChangedScope,
  DEPARTURES_MS,
  type DeparturesPage,
  type DeparturesQuery,
  FORGOTTEN_EACH,
  listedStatuses,
  type LivePosition,
} from "@tm/run-events-core/store";
import { type DepartureMark, encodeMark, parseMark } from "../departure-mark.ts";
import type { Query } from "../query.ts";
import type { Tables } from "../tables.ts";
import {
  type BigintColumn,
  NOW_MS,
  ON_PRIMARY,
  runColumns,
  type RunRow,
  runOf,
} from "./columns.ts";

/** The statements of `listChanged`, of all of an owner's runs or of one topic's. */
export interface ChangedStatements {
  readonly selectNewest: string;
  readonly selectDepartures: string;
  readonly selectTopicDepartures: string;
  readonly selectLive: string;
  readonly selectTopicLive: string;
  readonly selectHeads: string;
}

/** A run that was removed. */
export interface RemovedRun {
  readonly runId: string;
  readonly ownerId: string;
}

/** SQL: of a statement that removes the runs `gone`, the parts that keep their departures and forget old ones. */
export function keepRemoved({ removed }: Tables, gone: string): string {
  return `kept AS (
  INSERT INTO ${removed} (run_key, run_id, owner_id, topic, removed_xid, removed_at_ms)
  SELECT run_key, run_id, owner_id, topic, pg_current_xact_id(), ${NOW_MS} FROM ${gone}
), forgotten AS (
  DELETE FROM ${removed} WHERE run_key = ANY (ARRAY(
    SELECT run_key FROM ${removed} WHERE removed_at_ms < ${NOW_MS} - ${DEPARTURES_MS}
    ORDER BY removed_at_ms LIMIT ${FORGOTTEN_EACH} * (SELECT count(*) FROM ${gone}) FOR UPDATE SKIP LOCKED))
)`;
}

/**
 * Creates the statements.
 *
 * A transaction that began earlier may commit later, so no number says in which order ends were committed. But each end and each
 * removal has the number of its transaction, and a mark is a snapshot: the transactions that had been committed. The next page has the ends
 * and removals of the transactions that are not in the snapshot. A restored dump may have numbers that no transaction of this server has
 * had yet: the ends with such numbers wait.
 *
 * $1 is the owner, $2 the snapshot of the mark, $3 and $4 the transaction and the run after which a page goes on, $5 the most departures,
 * $6 the topic.
 */
export function changedStatements({ runs, removed }: Tables): ChangedStatements {
  const departed = (table: string, xid: string, topic: string): string => `(
  SELECT ${xid} AS xid, run_key, run_id FROM ${table}
  WHERE owner_id = $1 AND ${xid} >= pg_snapshot_xmin($2::pg_snapshot) AND NOT pg_visible_in_snapshot(${xid}, $2::pg_snapshot)
    AND ${xid} < pg_snapshot_xmax(pg_current_snapshot())
    AND (${xid}, run_key) > ($3::xid8, $4::bigint)${topic}
  ORDER BY ${xid}, run_key LIMIT $5)`;
  const departures = (topic: string): string => `
SELECT xid::text, run_key AS "runKey", run_id AS "runId" FROM (
${departed(runs, "ended_xid", topic)} UNION ALL ${departed(removed, "removed_xid", topic)}
) d WHERE ${ON_PRIMARY} ORDER BY d.xid, d.run_key LIMIT $5`;
  const live = (topic: string, from: number): string =>
    listedStatuses("live")
      .map(
        (_, at) => `
SELECT run_id AS "runId", run_key AS ordinal, last_sequence AS "lastSequence", updated_at_ms AS "updatedAtMs" FROM ${runs}
WHERE owner_id = $1${topic} AND run_status = $${from + at} AND ${ON_PRIMARY}`,
      )
      .join(" UNION ALL ");
  return {
    selectNewest: `
SELECT pg_current_snapshot()::text AS snapshot, ${NOW_MS} AS "nowMs",
  (extract(epoch FROM pg_postmaster_start_time()) * 1000)::bigint AS "startedAtMs",
  (SELECT oid FROM pg_database WHERE datname = current_database())::text AS "databaseId",
  pg_relation_filenode('${runs}')::text AS "fileId" WHERE ${ON_PRIMARY}`,
    selectDepartures: departures(""),
    selectTopicDepartures: departures(" AND topic = $6"),
    selectLive: live("", 2),
    selectTopicLive: live(" AND topic = $2", 3),
    selectHeads: `SELECT ${runColumns("r")} FROM ${runs} r WHERE run_id = ANY ($1::text[]) AND ${ON_PRIMARY}`,
  };
}

/**
 * An owner's changed runs.
 * @see clause S29 in `STORE.md`
 */
export async function listChanged(
  query: Query,
  sql: ChangedStatements,
  changedQuery: ChangedQuery,
): Promise<ChangedRuns> {
  return changedWork(changedQuery)({
    selectDepartures: (asked) => selectDepartures(query, sql, asked),
    selectLive: (scope) => selectLive(query, sql, scope),
    async selectHeads(runIds) {
      const rows = (await query(sql.selectHeads, [runIds])) as readonly RunRow[];
      return rows.map(runOf);
    },
  });
}

interface NewestRow {
  readonly snapshot: string;
  readonly nowMs: BigintColumn;
  readonly startedAtMs: BigintColumn;
  readonly databaseId: string;
  readonly fileId: string;
}

interface DepartureRow {
  readonly xid: string;
  readonly runKey: BigintColumn;
  readonly runId: string;
}

/** The newest mark is read before the departures, so that those have all that is in it. */
async function selectDepartures(
  query: Query,
  sql: ChangedStatements,
  asked: DeparturesQuery,
): Promise<DeparturesPage> {
  const { now, nowMs } = await selectNewest(query, sql);
  const mark = asked.since === null ? null : parseMark(asked.since);
  if (mark === null || mark.place !== now.place) {
    return { isKnown: false, departures: [], hasMore: false, mark: encodeMark(now), nowMs };
  }
  return { ...(await selectAfter(query, sql, asked, mark, now)), isKnown: true, nowMs };
}

async function selectNewest(
  query: Query,
  sql: ChangedStatements,
): Promise<{ readonly now: DepartureMark; readonly nowMs: number }> {
  const [row] = (await query(sql.selectNewest)) as readonly NewestRow[];
  const place = `${Number(row?.startedAtMs).toString(36)}-${row?.databaseId}-${row?.fileId}`;
  const now = { place, snapshot: row?.snapshot ?? "", rest: null };
  return { now, nowMs: Number(row?.nowMs) };
}

async function selectAfter(
  query: Query,
  sql: ChangedStatements,
  { ownerId, topic, limit }: DeparturesQuery,
  mark: DepartureMark,
  now: DepartureMark,
): Promise<Pick<DeparturesPage, "departures" | "hasMore" | "mark">> {
  // A page that goes on ends with the mark of the first page: what was committed meanwhile may belong before it.
  const until = mark.rest?.until ?? now.snapshot;
  const rows = (await query(topic === null ? sql.selectDepartures : sql.selectTopicDepartures, [
    ownerId,
    mark.snapshot,
    mark.rest?.xid ?? "0",
    mark.rest?.runKey ?? 0,
    limit,
    ...(topic === null ? [] : [topic]),
  ])) as readonly DepartureRow[];
  const departures = rows.map(({ xid, runKey, runId }) => ({
    runId,
    mark: encodeMark({ ...mark, rest: { until, xid, runKey: Number(runKey) } }),
  }));
  const hasMore = departures.length === limit;
  return { departures, hasMore, mark: encodeMark({ ...now, snapshot: until }) };
}

async function selectLive(
  query: Query,
  sql: ChangedStatements,
  { ownerId, topic }: ChangedScope,
): Promise<readonly LivePosition[]> {
  const statuses = listedStatuses("live");
  const rows = (await (topic === null
    ? query(sql.selectLive, [ownerId, ...statuses])
    : query(sql.selectTopicLive, [ownerId, topic, ...statuses]))) as readonly PositionRow[];
  return rows.map(({ runId, ordinal, lastSequence, updatedAtMs }) => ({
    runId,
    ordinal: Number(ordinal),
    lastSequence: Number(lastSequence),
    updatedAtMs: Number(updatedAtMs),
  }));
}

interface PositionRow {
  readonly runId: string;
  readonly ordinal: BigintColumn;
  readonly lastSequence: BigintColumn;
  readonly updatedAtMs: BigintColumn;
}
