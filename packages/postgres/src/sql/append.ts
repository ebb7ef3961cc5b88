import type { RunAppend } from "../plan-statement-batch.ts";
import type { Tables } from "../tables.ts";
import {
  addEvents,
  addRun,
  createEventColumns,
  encodeEvents,
  type EventPlaces,
  fits,
  join,
  list,
  moves,
  receipt,
  type RunColumns,
  takes,
} from "./append-columns.ts";
import { EVENT_COLUMNS, needsKeyIndex, numbers, texts } from "./columns.ts";

/**
 * Appends to many runs.
 *
 * $1-$7 are columns of runs: id, owner, expected sequence, appender, change of status and last phase of the batch,
 * number of events. $8-$15 are columns of events: the position of the run, the event's position within the run, type, payload; and for the
 * last event of a request its key, what is known of the run's status and phase then, and the number of events of the key.
 *
 * The statement locks the rows first, and skips those that are locked. With only an UPDATE, statements could deadlock, and one
 * locked row would keep all the others locked. A join finds the rows, so that a planner that prefers to scan a small table
 * does so once and not for each run.
 */
export function appendStatement(tables: Tables): string {
  const { runs, events } = tables;
  return `
WITH key_index AS (${needsKeyIndex(tables)}), held AS MATERIALIZED (
  SELECT q.*, r.run_key
  FROM unnest(${texts("$1")}, $2::text[], ${numbers("bigint", "$3", "$4")}, ${texts("$5", "$6")}, ${numbers("int", "$7")})
    WITH ORDINALITY AS q (run_id, owner_id, expected, appender, change, phase, events, at)
  JOIN ${runs} r ON ${takes("q.run_id", "q.owner_id", "q.expected", "q.appender")} AND ${fits("q.events", "q.change")}
  FOR NO KEY UPDATE OF r SKIP LOCKED
), head AS (
  UPDATE ${runs} r SET ${moves("h.events", "h.change", "h.phase", "h.appender")}
  FROM held h WHERE r.run_key = h.run_key
  RETURNING h.at, r.run_key, r.owner_id, r.last_sequence - h.events AS base, r.updated_at_ms, r.run_status, r.phase
), landed AS (
  INSERT INTO ${events} (${EVENT_COLUMNS})
  SELECT head.run_key, head.base + e.nth, e.event_type, e.payload, head.updated_at_ms, ${receipt("head")}
  FROM unnest(${numbers("int", "$8", "$9")}, ${texts("$10", "$11", "$12", "$13", "$14")}, ${numbers("int", "$15")})
    AS e (at, nth, event_type, payload, key, key_status, key_phase, key_events)
  JOIN head ON head.at = e.at
)
SELECT at, run_key AS ordinal, owner_id AS "ownerId", base, run_status AS "runStatus", phase FROM head`;
}

/** The parameters of the `append` statement: a column each, of all runs or of all events. */
export function encodeAppends(appends: readonly RunAppend[]): unknown[] {
  const runs: RunColumns = [[], [], [], [], [], [], []];
  const places: EventPlaces = [[], []];
  const events = createEventColumns();
  appends.forEach((append, index) => {
    addRun(runs, append);
    addEvents(events, append, places, index + 1);
  });
  const [runIds, ownerIds, expected, appenders, changes, phases, counts] = runs;
  // An owner may be any text.
  return [
    join(runIds),
    ownerIds,
    list(expected),
    list(appenders),
    join(changes),
    join(phases),
    list(counts),
    ...places.map(list),
    ...encodeEvents(events),
  ];
}
