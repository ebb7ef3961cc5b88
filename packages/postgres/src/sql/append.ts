import type { Tables } from "../tables.ts";
import type { PlainRun } from "../plan-plains.ts";
import { EVENT_COLUMNS, joined, listed, needsKeyIndex, NOW_MS, numbers, texts } from "./columns.ts";

/** SQL: whether the run `r` takes what `q` appends. It compares what core's `takesPlain` does, and nothing else. */
const TAKES = `r.owner_id = q.owner_id AND r.run_id = q.run_id AND r.run_status IN ('running', 'waiting')
    AND (r.lease_expires_at_ms IS NULL) = (q.fence IS NULL) AND r.fence = coalesce(q.fence, r.fence)
    AND r.last_sequence = coalesce(q.expected, r.last_sequence)
    AND r.last_sequence + q.events < ${Number.MAX_SAFE_INTEGER}
    AND (q.lease_ms IS NULL OR r.due_ms <= ${NOW_MS} + q.lease_ms)`;

/** SQL: what it changes of the head, as core's `headAfterPlain`. */
const MOVES = `revision = r.revision + 1, last_sequence = r.last_sequence + q.events, phase = coalesce(q.phase, r.phase),
    updated_at_ms = CASE WHEN q.events > 0 THEN greatest(r.updated_at_ms, ${NOW_MS}) ELSE r.updated_at_ms END,
    lease_expires_at_ms = coalesce(${NOW_MS} + q.lease_ms, r.lease_expires_at_ms)`;

const RETURNED = `r.run_key, r.last_sequence - q.events AS base, r.updated_at_ms, r.run_status, r.phase, r.lease_expires_at_ms`;

const LANDED = `SELECT at, run_key AS ordinal, base, run_status AS "runStatus", phase, lease_expires_at_ms AS "leaseExpiresAtMs" FROM head`;

/** SQL: inserts the events `e` of the runs in `head`. The last event of a keyed append has its receipt. */
function insertEvents({ events }: Tables, from: string): string {
  return `INSERT INTO ${events} (${EVENT_COLUMNS})
  SELECT head.run_key, head.base + e.nth, e.event_type, e.payload, head.updated_at_ms, e.key, e.key_events,
    CASE WHEN e.key IS NOT NULL THEN head.run_status END, CASE WHEN e.key IS NOT NULL THEN head.phase END
  FROM ${from}`;
}

/**
 * Appends to one run, or renews its lease. $1-$7 are its owner, id, fence, expected sequence, lease, last phase and number of events;
 * $8-$11 are columns of events: type, payload, and for the last of an append its key and their number.
 */
export function appendToOneStatement(tables: Tables): string {
  return `
WITH key_index AS (${needsKeyIndex(tables)}), head AS (
  UPDATE ${tables.runs} r SET ${MOVES}
  FROM (SELECT $1::text, $2::text, $3::bigint, $4::bigint, $5::bigint, $6::text, $7::int)
    AS q (owner_id, run_id, fence, expected, lease_ms, phase, events)
  WHERE ${TAKES} RETURNING 1 AS at, ${RETURNED}
), landed AS (
  ${insertEvents(tables, `head, unnest(${texts("$8", "$9", "$10")}, ${numbers("int", "$11")}) WITH ORDINALITY AS e (event_type, payload, key, key_events, nth)`)}
)
${LANDED}`;
}

/**
 * Appends to many runs. $1-$7 are columns of runs, $8 and $9 the positions of events: of the run in the statement, and within the run; $10
 * to $13 are the columns of events.
 *
 * The statement locks the rows first, and skips those that are locked. With only an UPDATE, statements could deadlock, and one
 * locked row would keep all the others locked. A join finds the rows, so that a planner that prefers to scan a small table
 * does so once and not for each run.
 */
export function appendStatement(tables: Tables): string {
  const { runs } = tables;
  return `
WITH key_index AS (${needsKeyIndex(tables)}), held AS MATERIALIZED (
  SELECT q.*, r.run_key
  FROM unnest($1::text[], ${texts("$2")}, ${numbers("bigint", "$3", "$4", "$5")}, ${texts("$6")}, ${numbers("int", "$7")})
    WITH ORDINALITY AS q (owner_id, run_id, fence, expected, lease_ms, phase, events, at)
  JOIN ${runs} r ON ${TAKES}
  FOR NO KEY UPDATE OF r SKIP LOCKED
), head AS (
  UPDATE ${runs} r SET ${MOVES} FROM held q WHERE r.run_key = q.run_key RETURNING q.at, ${RETURNED}
), landed AS (
  ${insertEvents(
    tables,
    `unnest(${numbers("int", "$8", "$9")}, ${texts("$10", "$11", "$12")}, ${numbers("int", "$13")}) AS e (at, nth, event_type, payload, key, key_events)
  JOIN head ON head.at = e.at`,
  )}
)
${LANDED}`;
}

/** The parameters of the statement for one run. */
export function encodeOne(run: PlainRun): unknown[] {
  const { ownerId, runId, fence, expectedSequence, leaseMs, phase, events } = run;
  const head = [ownerId, runId, fence, expectedSequence, leaseMs, phase, events.length];
  return [...head, ...eventColumns(events)];
}

/** The parameters of the statement for many runs. */
export function encodeMany(runs: readonly PlainRun[]): unknown[] {
  const events = runs.flatMap((run) => run.events);
  const at = runs.flatMap((run, index) => run.events.map(() => index + 1));
  const nth = runs.flatMap((run) => run.events.map((_, place) => place + 1));
  return [
    // An owner may be any text.
    runs.map(({ ownerId }) => ownerId),
    joined(runs.map(({ runId }) => runId)),
    listed(runs.map(({ fence }) => fence)),
    listed(runs.map(({ expectedSequence }) => expectedSequence)),
    listed(runs.map(({ leaseMs }) => leaseMs)),
    joined(runs.map(({ phase }) => phase)),
    listed(runs.map((run) => run.events.length)),
    listed(at),
    listed(nth),
    ...eventColumns(events),
  ];
}

function eventColumns(events: PlainRun["events"]): readonly string[] {
  return [
    joined(events.map(({ eventType }) => eventType)),
    joined(events.map(({ payload }) => payload)),
    joined(events.map(({ key }) => key)),
    listed(events.map(({ keyEvents }) => keyEvents)),
  ];
}
