import { eventBytes } from "@tm/run-events-core/store";
import { ANYBODY, OWNER, REAPER } from "./encode-appender.ts";
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
  readonly claim: string;
  readonly renew: string;
  readonly release: string;
  readonly listExpired: string;
  readonly purge: string;
  readonly purgeOne: string;
  readonly listRuns: string;
  readonly listRunsByStatus: string;
  readonly selectHeads: string;
  readonly notify: string;
  readonly probe: string;
}

const NOW_MS = "(extract(epoch FROM statement_timestamp()) * 1000)::bigint";

/** A purge ends with the run that reaches so many events: it is one transaction, whose rows stay for others until it is through. */
const PURGE_EVENTS = 10_000;

/**
 * Fails on a standby, evaluated once for each statement: a standby may lack what was acknowledged (S10). A connection may reach a
 * standby at any time, as in a failover; behind a pooler, from one statement to the next.
 */
export const ON_PRIMARY = "(SELECT pg_current_wal_lsn()) IS NOT NULL";

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
  ${row}.updated_at_ms AS "updatedAtMs", ${row}.finished_at_ms AS "finishedAtMs", ${row}.metadata,
  ${row}.fence, ${row}.lease_expires_at_ms AS "leaseExpiresAtMs"`;
}

const RUN_COLUMNS =
  "run_id, owner_id, run_status, phase, last_sequence, created_at_ms, updated_at_ms, metadata";

const EVENT_COLUMNS =
  "run_key, sequence, event_type, phase, payload, created_at_ms, idempotency_key, key_events";

/** Whether the run `r` takes an append of an appender as `encodeAppender` has it: this is core's `isFenced`. */
function takes(runId: string, ownerId: string, expected: string, appender: string): string {
  return `r.run_id = ${runId} AND r.finished_at_ms IS NULL
    AND (${ownerId} IS NULL OR r.owner_id = ${ownerId}) AND (${expected} IS NULL OR r.last_sequence = ${expected})
    AND CASE WHEN ${appender} = ${ANYBODY} THEN r.lease_expires_at_ms IS NULL WHEN ${appender} = ${OWNER} THEN true
      WHEN ${appender} > ${ANYBODY} THEN r.fence = ${appender} AND r.lease_expires_at_ms IS NOT NULL
      ELSE r.lease_expires_at_ms <= ${NOW_MS} - (${REAPER} - ${appender}) END`;
}

/** The fence of a claim of the run `r`: this is core's `nextFence`. */
const NEXT_FENCE = `(greatest(${NOW_MS} * 1000, r.fence - r.fence % 1000 + 1000) + r.run_key % 1000)`;

/** What an append makes of the head `r`; its time never runs backwards (W2). The lease is core's `leaseAfter`. */
function moves(events: string, runStatus: string, phase: string, appender: string): string {
  return `fence = CASE WHEN ${appender} < ${ANYBODY} THEN r.fence + 1 ELSE r.fence END,
    lease_expires_at_ms = CASE WHEN ${appender} >= ${ANYBODY} AND ${runStatus} = 'running' THEN r.lease_expires_at_ms END,
    last_sequence = r.last_sequence + ${events}, run_status = ${runStatus}, phase = coalesce(${phase}, r.phase),
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
  // A row that says so if the run has taken the change; else the run as it was when the statement began: a refusal locks nothing
  // and waits for nobody. $1 the run's id, $2 the owner.
  // `again` is when the run has the change already.
  const changeLease = (change: string, condition: string, again = "false"): string => `
WITH changed AS (
  UPDATE ${runs} r SET ${change}
  WHERE r.run_id = $1 AND r.finished_at_ms IS NULL AND ($2::text IS NULL OR r.owner_id = $2) AND ${condition}
  RETURNING r.*
)
SELECT true AS granted, ${NOW_MS} AS "nowMs", ${runColumns("changed")} FROM changed
UNION ALL
SELECT ${again}, ${NOW_MS}, ${runColumns("r")} FROM ${runs} r WHERE r.run_id = $1 AND NOT EXISTS (SELECT FROM changed)`;
  // Inserts nothing, but fails without such a valid unique index: an append must not go on without it (S5).
  const needsUnique = (table: string, columns: string, unique: string): string =>
    `INSERT INTO ${table} (${columns}) SELECT ${columns} FROM ${table} WHERE false ON CONFLICT (${unique} DO NOTHING`;
  const needsKeyIndex = needsUnique(
    events,
    EVENT_COLUMNS,
    "run_key, idempotency_key) WHERE idempotency_key IS NOT NULL",
  );
  // $1 how long ago, $2 how many runs. The run that reaches the bound is the last. Keys in an array, as a join might walk through
  // all events.
  const purge = (locking: string): string => `
WITH old AS MATERIALIZED (
  SELECT run_key, run_id, last_sequence, finished_at_ms FROM ${runs} WHERE finished_at_ms <= ${NOW_MS} - $1::bigint
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
SELECT run_id AS "runId" FROM few ORDER BY finished_at_ms, run_key`;
  return {
    ...tables,
    // $1-$7 a run: id, owner, expected sequence, appender, status (running or a terminal one) and last phase of the batch, number of
    // events. $8-$14 an event: the place of its run, its own within the run's, type, phase, payload; and for the last one of a
    // request its key and how many events the key stands for.
    // The lock comes first, alone, and waits for nobody: with an UPDATE alone, statements that hold each other's rows could
    // wait in a circle, and one locked row would keep all the others locked. It is a join, so that a planner which likes to walk
    // through a small table does so once and not for each run.
    append: `
WITH key_index AS (${needsKeyIndex}), held AS MATERIALIZED (
  SELECT q.*, r.run_key
  FROM unnest(${texts("$1")}, $2::text[], ${numbers("bigint", "$3", "$4")}, ${texts("$5", "$6")}, ${numbers("int", "$7")})
    WITH ORDINALITY AS q (run_id, owner_id, expected, appender, run_status, phase, events, at)
  JOIN ${runs} r ON ${takes("q.run_id", "q.owner_id", "q.expected", "q.appender")}
  FOR NO KEY UPDATE OF r SKIP LOCKED
), head AS (
  UPDATE ${runs} r SET ${moves("h.events", "h.run_status", "h.phase", "h.appender")}
  FROM held h WHERE r.run_key = h.run_key
  RETURNING h.at, r.run_key, r.last_sequence - h.events AS base, r.updated_at_ms, r.phase
), landed AS (
  INSERT INTO ${events} (${EVENT_COLUMNS})
  SELECT head.run_key, head.base + e.nth, e.event_type, e.phase, e.payload, head.updated_at_ms, e.key, e.key_events
  FROM unnest(${numbers("int", "$8", "$9")}, ${texts("$10", "$11", "$12", "$13")}, ${numbers("int", "$14")})
    AS e (at, nth, event_type, phase, payload, key, key_events)
  JOIN head ON head.at = e.at
)
SELECT at, run_key AS ordinal, base, phase FROM head`,
    // The same where each run gets one event: $1-$5 as there, $6-$9 its type, phase, payload and key. Nothing is joined, which
    // saves a tenth of what Postgres takes for an append.
    appendEach: `
WITH key_index AS (${needsKeyIndex}), held AS MATERIALIZED (
  SELECT q.*, r.run_key
  FROM unnest(${texts("$1")}, $2::text[], ${numbers("bigint", "$3", "$4")}, ${texts("$5", "$6", "$7", "$8", "$9")})
    WITH ORDINALITY AS q (run_id, owner_id, expected, appender, run_status, event_type, phase, payload, key, at)
  JOIN ${runs} r ON ${takes("q.run_id", "q.owner_id", "q.expected", "q.appender")}
  FOR NO KEY UPDATE OF r SKIP LOCKED
), head AS (
  UPDATE ${runs} r SET ${moves("1", "h.run_status", "h.phase", "h.appender")}
  FROM held h WHERE r.run_key = h.run_key
  RETURNING h.at, r.run_key, r.last_sequence, r.updated_at_ms, r.phase,
    h.event_type, h.phase AS event_phase, h.payload, h.key
), landed AS (
  INSERT INTO ${events} (${EVENT_COLUMNS})
  SELECT run_key, last_sequence, event_type, event_phase, payload, updated_at_ms, key, CASE WHEN key IS NOT NULL THEN 1 END
  FROM head
)
SELECT at, run_key AS ordinal, last_sequence - 1 AS base, phase FROM head`,
    // The same for one run, which needs no order of locks: $1-$7 are its values, $8-$12 as $10-$14 there.
    appendToOne: `
WITH key_index AS (${needsKeyIndex}), head AS (
  UPDATE ${runs} r SET ${moves("$7::int", "$5::text", "$6::text", "$4::bigint")}
  WHERE ${takes("$1", "$2::text", "$3::bigint", "$4::bigint")}
  RETURNING r.run_key, r.last_sequence - $7::int AS base, r.updated_at_ms, r.phase
), landed AS (
  INSERT INTO ${events} (${EVENT_COLUMNS})
  SELECT head.run_key, head.base + e.nth, e.event_type, e.phase, e.payload, head.updated_at_ms, e.key, e.key_events
  FROM head, unnest(${texts("$8", "$9", "$10", "$11")}, ${numbers("int", "$12")})
    WITH ORDINALITY AS e (event_type, phase, payload, key, key_events, nth)
)
SELECT 1 AS at, run_key AS ordinal, base, phase FROM head`,
    // $1 run ids, $2 keys. The first key from the one that is asked for on: a comparison of rows has the planner take the
    // index of the keys, where it would otherwise walk through the run.
    selectReceipts: `
SELECT q.at, ${NOW_MS} AS "nowMs", ${runColumns("r")}, k.sequence AS "keySequence", k.key_events AS "keyEvents",
  CASE WHEN k.sequence IS NOT NULL THEN ${phaseAt("r.run_key", "k.sequence")} END AS "keyPhase"
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS q (run_id, key, at)
JOIN ${runs} r ON r.run_id = q.run_id AND ${ON_PRIMARY}
LEFT JOIN LATERAL (
  SELECT e.run_key, e.idempotency_key, e.sequence, e.key_events FROM ${events} e
  WHERE (e.run_key, e.idempotency_key) >= (r.run_key, q.key) AND e.idempotency_key IS NOT NULL
  ORDER BY e.run_key, e.idempotency_key LIMIT 1
) k ON k.run_key = r.run_key AND k.idempotency_key = q.key
ORDER BY q.at`,
    // $1-$5 a query: run id, owner, since, limit, bytes. The row of a run itself has sequence 0; those of its events behind it have
    // no columns of their own, since each column costs every row: the type stands in that of the status, the payload in that of the
    // metadata.
    read: `
WITH head AS MATERIALIZED (
  SELECT q.at, q.since, q.max_events, q.max_bytes, r.*
  FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[])
    WITH ORDINALITY AS q (query_run_id, query_owner_id, since, max_events, max_bytes, at)
  JOIN ${runs} r ON r.run_id = q.query_run_id AND (q.query_owner_id IS NULL OR r.owner_id = q.query_owner_id)
    AND ${ON_PRIMARY}
)
SELECT h.at, 0 AS sequence, ${runColumns("h")},
  CASE WHEN h.since >= h.last_sequence THEN h.phase
    WHEN h.since > 0 AND h.phase IS NOT NULL THEN ${phaseAt("h.run_key", "h.since")} END AS "phaseAtSince"
FROM head h
UNION ALL
SELECT h.at, e.sequence, NULL, NULL, e.event_type, NULL, NULL, NULL, e.created_at_ms, NULL, NULL, e.payload, NULL, NULL, NULL
FROM head h CROSS JOIN LATERAL (
  SELECT sequence, created_at_ms, event_type, payload,
    sum(octet_length(payload) + ${eventBytes(0)}) OVER (ORDER BY sequence) AS bytes
  FROM ${events}
  WHERE run_key = h.run_key AND sequence > h.since AND sequence <= h.since + h.max_events
) e
WHERE h.since < h.last_sequence AND (e.bytes <= h.max_bytes OR e.sequence = h.since + 1)
ORDER BY at, sequence`,
    selectRun: `SELECT ${runColumns("r")} FROM ${runs} r WHERE run_id = $1 AND ${ON_PRIMARY}`,
    // Answers no row when somebody else's run has come in between: then it has to be asked again.
    createRun: `
WITH made AS (
  INSERT INTO ${runs} AS r (${RUN_COLUMNS})
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
    // $3 how long the lease lasts; $4 of a claim its key, of a renewal the fence. The key is kept as core's `encodeKeptClaim` has it.
    claim: changeLease(
      `fence = ${NEXT_FENCE}, lease_expires_at_ms = ${NOW_MS} + $3::bigint,
      claim_key = ${NEXT_FENCE}::text || ' ' || $4::text`,
      `(r.lease_expires_at_ms IS NULL OR r.lease_expires_at_ms <= ${NOW_MS})`,
      `coalesce(r.claim_key = r.fence::text || ' ' || $4::text AND r.lease_expires_at_ms > ${NOW_MS}
      AND r.finished_at_ms IS NULL AND ($2::text IS NULL OR r.owner_id = $2), false)`,
    ),
    renew: changeLease(
      `lease_expires_at_ms = ${NOW_MS} + $3::bigint`,
      "r.fence = $4::bigint AND r.lease_expires_at_ms IS NOT NULL",
    ),
    // $3 the fence.
    release: changeLease("lease_expires_at_ms = NULL", "r.fence = $3::bigint"),
    // Passes over the runs that somebody holds: whoever reaps would wait for them with all the others.
    listExpired: `
SELECT run_id AS "runId" FROM ${runs} WHERE lease_expires_at_ms <= ${NOW_MS} - $1::bigint
ORDER BY lease_expires_at_ms LIMIT $2 FOR SHARE SKIP LOCKED`,
    purge: purge("SKIP LOCKED"),
    // Waits for who holds one.
    purgeOne: purge(""),
    listRuns: `
SELECT ${runColumns("r")} FROM ${runs} r WHERE owner_id = $1 AND run_key < $2 AND ${ON_PRIMARY}
ORDER BY run_key DESC LIMIT $3`,
    listRunsByStatus: `
SELECT ${runColumns("r")} FROM ${runs} r WHERE owner_id = $1 AND run_key < $2 AND run_status = $4 AND ${ON_PRIMARY}
ORDER BY run_key DESC LIMIT $3`,
    selectHeads: `
SELECT r.run_id AS "runId", r.run_key AS ordinal, r.last_sequence AS "lastSequence"
FROM unnest($1::text[]) AS q (run_id) JOIN ${runs} r ON r.run_id = q.run_id AND ${ON_PRIMARY}`,
    notify: "SELECT pg_notify($1, hints) FROM unnest($2::text[]) AS q (hints)",
    // Asks for the locks, the rights and the indexes of an append, and commits a record that no table has: so the commit waits for
    // the disk and a synchronous standby, and leaves no row to be removed.
    probe: `
WITH run_ids AS (${needsUnique(runs, RUN_COLUMNS, "run_id)")}), key_index AS (${needsKeyIndex}),
  heads AS (UPDATE ${runs} SET last_sequence = last_sequence WHERE false)
SELECT ${NOW_MS} AS "nowMs", pg_logical_emit_message(true, 'run_events', '')`,
  };
}
