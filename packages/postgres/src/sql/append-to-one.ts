import type { RunAppend } from "../plan-statement-batch.ts";
import type { Tables } from "../tables.ts";
import {
  addEvents,
  addRun,
  createEventColumns,
  encodeEvents,
  fits,
  moves,
  receipt,
  type RunColumns,
  takes,
} from "./append-columns.ts";
import { EVENT_COLUMNS, needsKeyIndex, numbers, texts } from "./columns.ts";

/**
 * Appends to one run, which needs no order of locks. It is `appendStatement` for one run: $1-$7 are the run's values, $8-$13 are its
 * $10-$15.
 * @param condition what else has to hold for the run `r`
 * @param column what else is evaluated once it has landed
 */
export function appendToOneStatement(tables: Tables, condition = "true", column = ""): string {
  const { runs, events } = tables;
  return `
WITH key_index AS (${needsKeyIndex(tables)}), head AS (
  UPDATE ${runs} r SET ${moves("$7::int", "$5::text", "$6::text", "$4::bigint")}
  WHERE ${takes("$1", "$2::text", "$3::bigint", "$4::bigint")} AND ${fits("$7::int", "$5::text")} AND ${condition}
  RETURNING r.run_key, r.owner_id, r.last_sequence - $7::int AS base, r.updated_at_ms, r.run_status, r.phase
), landed AS (
  INSERT INTO ${events} (${EVENT_COLUMNS})
  SELECT head.run_key, head.base + e.nth, e.event_type, e.payload, head.updated_at_ms, ${receipt("head")}
  FROM head, unnest(${texts("$8", "$9", "$10", "$11", "$12")}, ${numbers("int", "$13")})
    WITH ORDINALITY AS e (event_type, payload, key, key_status, key_phase, key_events, nth)
)
SELECT 1 AS at, run_key AS ordinal, owner_id AS "ownerId", base, run_status AS "runStatus", phase${column} FROM head`;
}

/** The parameters of the `appendToOne` statement. */
export function encodeAppend(append: RunAppend): unknown[] {
  const run: RunColumns = [[], [], [], [], [], [], []];
  addRun(run, append);
  const events = createEventColumns();
  addEvents(events, append);
  return [...run.flat(), ...encodeEvents(events)];
}
