import { eventBytes } from "@tm/run-events-core";
import { type Tables, tablesOf } from "./tables.ts";

/** The store's statements. Each is whole in itself: no session keeps anything between two of them. */
export interface Statements extends Tables {
  readonly append: string;
  readonly appendEach: string;
  readonly appendToOne: string;
  readonly selectReceipts: string;
  readonly read: string;
  readonly selectRun: string;
  readonly createRun: string;
  readonly deleteRun: string;
  readonly listRuns: string;
  readonly listRunsByStatus: string;
  readonly selectHeads: string;
  readonly notify: string;
}

const NOW_MS = "(extract(epoch FROM statement_timestamp()) * 1000)::bigint";

/** Stands between the values of a column. */
export const SEPARATOR = "\x1f";

/** Columns that go out as one text each; what is empty is NULL. */
function texts(...columns: readonly string[]): string {
  const separator = `chr(${SEPARATOR.charCodeAt(0)})`;
  return columns.map((column) => `string_to_array(${column}, ${separator}, '')`).join(", ");
}

/** Columns of numbers, each the text of an array: so no driver takes it apart. */
function numbers(type: "int" | "bigint", ...columns: readonly string[]): string {
  return columns.map((column) => `${column}::text::${type}[]`).join(", ");
}

/** A run's columns, named as in core's record. Drivers give a bigint as text or as a number. */
function runColumns(row: string): string {
  return `${row}.run_id AS "runId", ${row}.owner_id AS "ownerId", ${row}.run_status AS "runStatus", ${row}.phase,
  ${row}.last_sequence AS "lastSequence", ${row}.run_key AS ordinal, ${row}.created_at_ms AS "createdAtMs",
  ${row}.updated_at_ms AS "updatedAtMs", ${row}.finished_at_ms AS "finishedAtMs", ${row}.metadata`;
}

const EVENT_COLUMNS =
  "run_key, sequence, event_type, phase, payload, created_at_ms, idempotency_key, key_events";

/** Whether the run `r` takes an append. */
function takes(runId: string, ownerId: string, expected: string): string {
  return `r.run_id = ${runId} AND r.finished_at_ms IS NULL
    AND (${ownerId} IS NULL OR r.owner_id = ${ownerId}) AND (${expected} IS NULL OR r.last_sequence = ${expected})`;
}

/** What an append makes of the head `r`; its time never runs backwards (W2). */
function moves(events: string, runStatus: string, phase: string): string {
  return `last_sequence = r.last_sequence + ${events}, run_status = ${runStatus}, phase = coalesce(${phase}, r.phase),
    updated_at_ms = greatest(r.updated_at_ms, ${NOW_MS}),
    finished_at_ms = CASE WHEN ${runStatus} <> 'running' THEN greatest(r.updated_at_ms, ${NOW_MS}) END`;
}

/** The statements for a schema. @throws TypeError as `tablesOf` */
export function createStatements(schema: string): Statements {
  const tables = tablesOf(schema);
  const { runs, events } = tables;
  const phaseAt = (runKey: string, sequence: string): string =>
    `(SELECT phase FROM ${events} WHERE run_key = ${runKey} AND sequence <= ${sequence} AND phase IS NOT NULL
      ORDER BY sequence DESC LIMIT 1)`;
  return {
    ...tables,
    // $1-$6 a run: id, owner, expected sequence, status (running or a terminal one) and last phase of the batch, number of events.
    // $7-$13 an event: the place of its run, its own within the run's, type, phase, payload; and for the last one of a
    // request its key and how many events the key stands for.
    // The lock comes first, alone, and waits for nobody: with an UPDATE alone, statements that hold each other's rows could
    // wait in a circle, and one locked row would keep all the others locked. It is a join, so that a planner which likes to walk
    // through a small table does so once and not for each run.
    append: `
WITH held AS MATERIALIZED (
  SELECT q.*, r.run_key
  FROM unnest(${texts("$1")}, $2::text[], ${numbers("bigint", "$3")}, ${texts("$4", "$5")}, ${numbers("int", "$6")})
    WITH ORDINALITY AS q (run_id, owner_id, expected, run_status, phase, events, at)
  JOIN ${runs} r ON ${takes("q.run_id", "q.owner_id", "q.expected")}
  FOR NO KEY UPDATE OF r SKIP LOCKED
), head AS (
  UPDATE ${runs} r SET ${moves("h.events", "h.run_status", "h.phase")}
  FROM held h WHERE r.run_key = h.run_key
  RETURNING h.at, r.run_key, r.last_sequence - h.events AS base, r.updated_at_ms, r.phase
), landed AS (
  INSERT INTO ${events} (${EVENT_COLUMNS})
  SELECT head.run_key, head.base + e.nth, e.event_type, e.phase, e.payload, head.updated_at_ms, e.key, e.key_events
  FROM unnest(${numbers("int", "$7", "$8")}, ${texts("$9", "$10", "$11", "$12")}, ${numbers("int", "$13")})
    AS e (at, nth, event_type, phase, payload, key, key_events)
  JOIN head ON head.at = e.at
)
SELECT at, run_key AS ordinal, base, phase FROM head`,
    // The same where each run gets one event: $1-$4 as there, $5-$8 its type, phase, payload and key. Nothing is joined, which
    // saves a tenth of what Postgres takes for an append.
    appendEach: `
WITH held AS MATERIALIZED (
  SELECT q.*, r.run_key
  FROM unnest(${texts("$1")}, $2::text[], ${numbers("bigint", "$3")}, ${texts("$4", "$5", "$6", "$7", "$8")})
    WITH ORDINALITY AS q (run_id, owner_id, expected, run_status, event_type, phase, payload, key, at)
  JOIN ${runs} r ON ${takes("q.run_id", "q.owner_id", "q.expected")}
  FOR NO KEY UPDATE OF r SKIP LOCKED
), head AS (
  UPDATE ${runs} r SET ${moves("1", "h.run_status", "h.phase")}
  FROM held h WHERE r.run_key = h.run_key
  RETURNING h.at, r.run_key, r.last_sequence, r.updated_at_ms, r.phase,
    h.event_type, h.phase AS event_phase, h.payload, h.key
), landed AS (
  INSERT INTO ${events} (${EVENT_COLUMNS})
  SELECT run_key, last_sequence, event_type, event_phase, payload, updated_at_ms, key, CASE WHEN key IS NOT NULL THEN 1 END
  FROM head
)
SELECT at, run_key AS ordinal, last_sequence - 1 AS base, phase FROM head`,
    // The same for one run, which needs no order of locks: $1-$6 are its values, $7-$11 as $9-$13 there.
    appendToOne: `
WITH head AS (
  UPDATE ${runs} r SET ${moves("$6::int", "$4::text", "$5::text")}
  WHERE ${takes("$1", "$2::text", "$3::bigint")}
  RETURNING r.run_key, r.last_sequence - $6::int AS base, r.updated_at_ms, r.phase
), landed AS (
  INSERT INTO ${events} (${EVENT_COLUMNS})
  SELECT head.run_key, head.base + e.nth, e.event_type, e.phase, e.payload, head.updated_at_ms, e.key, e.key_events
  FROM head, unnest(${texts("$7", "$8", "$9", "$10")}, ${numbers("int", "$11")})
    WITH ORDINALITY AS e (event_type, phase, payload, key, key_events, nth)
)
SELECT 1 AS at, run_key AS ordinal, base, phase FROM head`,
    // $1 run ids, $2 keys. The first key from the one that is asked for on: a comparison of rows has the planner take the
    // index of the keys, where it would otherwise walk through the run.
    selectReceipts: `
SELECT q.at, ${runColumns("r")}, k.sequence AS "keySequence", k.key_events AS "keyEvents",
  CASE WHEN k.sequence IS NOT NULL THEN ${phaseAt("r.run_key", "k.sequence")} END AS "keyPhase"
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS q (run_id, key, at)
JOIN ${runs} r ON r.run_id = q.run_id
LEFT JOIN LATERAL (
  SELECT e.run_key, e.idempotency_key, e.sequence, e.key_events FROM ${events} e
  WHERE (e.run_key, e.idempotency_key) >= (r.run_key, q.key) AND e.idempotency_key IS NOT NULL
  ORDER BY e.run_key, e.idempotency_key LIMIT 1
) k ON k.run_key = r.run_key AND k.idempotency_key = q.key
ORDER BY q.at`,
    // $1-$5 a query: run id, owner, since, limit, bytes. The row of a run itself has sequence 0.
    read: `
WITH head AS MATERIALIZED (
  SELECT q.at, q.since, q.max_events, q.max_bytes, r.*
  FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[])
    WITH ORDINALITY AS q (query_run_id, query_owner_id, since, max_events, max_bytes, at)
  JOIN ${runs} r ON r.run_id = q.query_run_id AND (q.query_owner_id IS NULL OR r.owner_id = q.query_owner_id)
)
SELECT h.at, 0 AS sequence, ${runColumns("h")},
  CASE WHEN h.since >= h.last_sequence THEN h.phase
    WHEN h.since > 0 AND h.phase IS NOT NULL THEN ${phaseAt("h.run_key", "h.since")} END AS "phaseAtSince",
  NULL AS "eventType", NULL AS payload
FROM head h
UNION ALL
SELECT h.at, e.sequence, NULL, NULL, NULL, NULL, NULL, NULL, e.created_at_ms, NULL, NULL, NULL, NULL, e.event_type, e.payload
FROM head h CROSS JOIN LATERAL (
  SELECT sequence, created_at_ms, event_type, payload,
    sum(octet_length(payload) + ${eventBytes(0)}) OVER (ORDER BY sequence) AS bytes
  FROM ${events}
  WHERE run_key = h.run_key AND sequence > h.since AND sequence <= h.since + h.max_events
) e
WHERE h.since < h.last_sequence AND (e.bytes <= h.max_bytes OR e.sequence = h.since + 1)
ORDER BY at, sequence`,
    selectRun: `SELECT ${runColumns("r")} FROM ${runs} r WHERE run_id = $1`,
    // Answers no row when somebody else's run has come in between: then it has to be asked again.
    createRun: `
WITH made AS (
  INSERT INTO ${runs} AS r (run_id, owner_id, run_status, phase, last_sequence, created_at_ms, updated_at_ms, metadata)
  SELECT $1, $2, $3, $4, 0, n.now_ms, n.now_ms, $5 FROM (SELECT ${NOW_MS} AS now_ms) n
  ON CONFLICT (run_id) DO NOTHING RETURNING r.*
)
SELECT true AS created, ${runColumns("made")} FROM made
UNION ALL
SELECT false, ${runColumns("r")} FROM ${runs} r WHERE run_id = $1`,
    // An append that is refused for a finished run leaves nothing, so all of the run's events are seen here.
    deleteRun: `
WITH gone AS (
  DELETE FROM ${runs} WHERE run_id = $1 AND ($2::text IS NULL OR owner_id = $2) AND finished_at_ms IS NOT NULL
  RETURNING run_key
), gone_events AS (
  DELETE FROM ${events} e USING gone WHERE e.run_key = gone.run_key
)
SELECT EXISTS (SELECT FROM gone) AS gone,
  EXISTS (SELECT FROM ${runs} WHERE run_id = $1 AND ($2::text IS NULL OR owner_id = $2) AND finished_at_ms IS NULL) AS active`,
    listRuns: `
SELECT ${runColumns("r")} FROM ${runs} r WHERE owner_id = $1 AND run_key < $2 ORDER BY run_key DESC LIMIT $3`,
    listRunsByStatus: `
SELECT ${runColumns("r")} FROM ${runs} r WHERE owner_id = $1 AND run_key < $2 AND run_status = $4
ORDER BY run_key DESC LIMIT $3`,
    selectHeads: `
SELECT r.run_id AS "runId", r.run_key AS ordinal, r.last_sequence AS "lastSequence"
FROM unnest($1::text[]) AS q (run_id) JOIN ${runs} r ON r.run_id = q.run_id`,
    notify: "SELECT pg_notify($1, hints) FROM unnest($2::text[]) AS q (hints)",
  };
}
