import type { RunAppend } from "../plan-statement-batch.ts";
import type { Tables } from "../tables.ts";
import { fits, join, list, moves, takes } from "./append-columns.ts";
import { EVENT_COLUMNS, needsKeyIndex, numbers, texts } from "./columns.ts";
import { encodeAppender } from "./encode-appender.ts";

/**
 * Appends one event to each of many runs. It is `appendStatement` without joins, which costs Postgres less. $1-$5 are the same,
 * $6-$9 are the event's type, phase, payload and key.
 */
export function appendEachStatement(tables: Tables): string {
  const { runs, events } = tables;
  return `
WITH key_index AS (${needsKeyIndex(tables)}), held AS MATERIALIZED (
  SELECT q.*, r.run_key
  FROM unnest(${texts("$1")}, $2::text[], ${numbers("bigint", "$3", "$4")}, ${texts("$5", "$6", "$7", "$8", "$9")})
    WITH ORDINALITY AS q (run_id, owner_id, expected, appender, change, event_type, phase, payload, key, at)
  JOIN ${runs} r ON ${takes("q.run_id", "q.owner_id", "q.expected", "q.appender")} AND ${fits("1", "q.change")}
  FOR NO KEY UPDATE OF r SKIP LOCKED
), head AS (
  UPDATE ${runs} r SET ${moves("1", "h.change", "h.phase", "h.appender")}
  FROM held h WHERE r.run_key = h.run_key
  RETURNING h.at, r.run_key, r.owner_id, r.last_sequence, r.updated_at_ms, r.run_status, r.phase,
    h.event_type, h.payload, h.key
), landed AS (
  INSERT INTO ${events} (${EVENT_COLUMNS})
  SELECT run_key, last_sequence, event_type, payload, updated_at_ms, key, CASE WHEN key IS NOT NULL THEN 1 END,
    CASE WHEN key IS NOT NULL THEN run_status END, CASE WHEN key IS NOT NULL THEN phase END
  FROM head
)
SELECT at, run_key AS ordinal, owner_id AS "ownerId", last_sequence - 1 AS base, run_status AS "runStatus", phase FROM head`;
}

/** Whether `encodeEach` can encode these appends. */
export function isEventEach(appends: readonly RunAppend[]): boolean {
  return appends.every(
    ({ requests }) => requests.length === 1 && requests[0]?.request.events.length === 1,
  );
}

/** The parameters of the `appendEach` statement: a column each, of runs that get one event. */
export function encodeEach(appends: readonly RunAppend[]): unknown[] {
  const requests = appends.flatMap(({ requests: [only] }) => (only ? [only.request] : []));
  const events = requests.flatMap((request) => request.events);
  return [
    join(requests.map(({ runId }) => runId)),
    requests.map(({ ownerId }) => ownerId),
    list(requests.map(({ expectedSequence }) => expectedSequence)),
    list(requests.map(({ appender }) => encodeAppender(appender))),
    join(requests.map(({ change }) => change)),
    join(events.map(({ eventType }) => eventType)),
    join(events.map(({ phase }) => phase)),
    join(events.map(({ payload }) => payload)),
    join(requests.map(({ idempotencyKey }) => idempotencyKey)),
  ];
}
