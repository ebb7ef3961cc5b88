import { type Commit, dueKindOf } from "@tm/run-events-core/store";
import type { Query } from "../query.ts";
import type { Tables } from "../tables.ts";
import type { Statements } from "../statements.ts";
import {
  type BigintColumn,
  CLOCK_MS,
  EVENT_COLUMNS,
  joined,
  listed,
  needsUnique,
  numbers,
  RUN_COLUMNS,
  RUN_MEMBERS,
  RUN_VALUES,
  SAVED_COLUMNS,
  SAVED_VALUES,
  texts,
} from "./columns.ts";
import { PLACE } from "./needs.ts";
import { holderOf } from "./see.ts";

/** The greatest age of a decision's clock, in milliseconds: a process that was stopped decides again. */
const MOST_AGE_MS = 5_000;

const IS_FRESH = `q."seenMs" > ${CLOCK_MS} - ${MOST_AGE_MS}`;

/** SQL: the columns of a decision as JSON, with the head that it leaves. */
const DECISION = `at int, before bigint, removed boolean, "seenMs" bigint, "needsTopic" boolean, ${RUN_MEMBERS}`;

const EVENT = "sequence, event_type, payload, key, key_events, key_status, key_phase";

/** SQL: the columns of events, as `EVENT` names them, in the parameters from this number on. */
function eventParameters(from: number): string {
  const [sequence = "", type = "", payload = "", key = "", count = "", status = "", phase = ""] =
    EVENT.split(", ").map((_, at) => `$${from + at}`);
  return `${numbers("bigint", sequence)}, ${texts(type, payload, key)}, ${numbers("int", count)}, ${texts(status, phase)}`;
}

/**
 * Commits decisions about many runs, each if its run is still as it was seen. $1 are the heads as JSON; $2 to $9 are columns of events: the
 * position of the run, sequence, type, payload, and for the last of an append with a key its receipt.
 * @param locking whether the statement skips the runs that another transaction holds; not if this transaction has locked them
 */
export function commitStatement(tables: Tables, locking: "" | "SKIP LOCKED"): string {
  const { runs, events } = tables;
  return `
WITH names AS (${needsUnique(runs, RUN_COLUMNS, "owner_id, run_id)")}),
places AS (${needsUnique(runs, RUN_COLUMNS, PLACE)}),
q AS MATERIALIZED (
  SELECT * FROM json_to_recordset($1::text::json) AS q (${DECISION}) WHERE ${IS_FRESH}
), held AS MATERIALIZED (
  SELECT q.at, r.run_key FROM q JOIN ${runs} r ON r.run_key = q.ordinal WHERE r.revision = q.before
  ORDER BY r.run_key FOR UPDATE OF r ${locking}
), saved AS (
  UPDATE ${runs} r SET (${SAVED_COLUMNS}) = (${SAVED_VALUES})
  FROM q JOIN held USING (at) WHERE r.run_key = held.run_key AND NOT q.removed RETURNING q.at
), removed AS (
  DELETE FROM ${runs} r USING held JOIN q USING (at) WHERE q.removed AND r.run_key = held.run_key RETURNING q.at, r.run_key
), gone AS (
  DELETE FROM ${events} WHERE run_key = ANY (ARRAY(SELECT run_key FROM removed))
), made AS (
  INSERT INTO ${runs} (${RUN_COLUMNS})
  SELECT ${RUN_VALUES} FROM q
  WHERE q.before IS NULL AND NOT (q."needsTopic" AND ${holderOf(tables, 'q."ownerId"', "q.topic")} IS NOT NULL)
  ORDER BY q."ownerId", q."runId"
  ON CONFLICT DO NOTHING RETURNING run_key
), done AS (
  SELECT at FROM saved UNION ALL SELECT at FROM removed UNION ALL SELECT q.at FROM made JOIN q ON q.ordinal = made.run_key
), landed AS (
  INSERT INTO ${events} (${EVENT_COLUMNS})
  SELECT q.ordinal, e.sequence, e.event_type, e.payload, q."updatedAtMs", e.key, e.key_events, e.key_status, e.key_phase
  FROM unnest(${numbers("int", "$2")}, ${eventParameters(3)}) AS e (at, ${EVENT})
  JOIN done USING (at) JOIN q USING (at)
)
SELECT at FROM done`;
}

/**
 * Commits a decision about one run that exists and stays. $1 is its head as JSON; $2 to $8 are the columns of events as in
 * {@link commitStatement}, without the position of the run. It may wait for the run, so it locks it first and looks at the clock then.
 * @param condition what else has to hold
 * @param column what else is evaluated once it is committed
 */
export function saveStatement({ runs, events }: Tables, condition = "true", column = ""): string {
  return `
WITH q AS MATERIALIZED (SELECT * FROM json_to_record($1::text::json) AS q (${DECISION})), held AS MATERIALIZED (
  SELECT q.* FROM q JOIN ${runs} r ON r.run_key = q.ordinal WHERE r.revision = q.before AND ${condition} FOR NO KEY UPDATE OF r
), head AS (
  UPDATE ${runs} r SET (${SAVED_COLUMNS}) = (${SAVED_VALUES})
  FROM held q WHERE r.run_key = q.ordinal AND ${IS_FRESH} RETURNING r.run_key, r.updated_at_ms
), landed AS (
  INSERT INTO ${events} (${EVENT_COLUMNS})
  SELECT head.run_key, e.sequence, e.event_type, e.payload, head.updated_at_ms, e.key, e.key_events, e.key_status, e.key_phase
  FROM head, unnest(${eventParameters(2)}) AS e (${EVENT})
)
SELECT 0 AS at${column} FROM head`;
}

/** An event of a decision, with the receipt of the append that it ends. */
interface CommittedEvent {
  readonly at: number;
  readonly sequence: number;
  readonly eventType: string;
  readonly payload: string;
  readonly key: string | null;
  readonly keyEvents: number | null;
  readonly keyStatus: string | null;
  readonly keyPhase: string | null;
}

/** Commits decisions in one statement. @returns whether each was committed */
export async function commitAll(
  query: Query,
  sql: Pick<Statements, "commit" | "commitHeld" | "save">,
  commits: readonly Commit[],
  isHeld: boolean,
): Promise<readonly boolean[]> {
  const [one] = commits;
  if (one !== undefined && commits.length === 1 && isSave(one)) {
    const rows = await query(sql.save, encodeSave(one));
    return [rows.length > 0];
  }
  const heads = commits.map(encodeHead);
  const events = commits.flatMap(eventsOf);
  const rows = (await query(isHeld ? sql.commitHeld : sql.commit, [
    JSON.stringify(heads),
    listed(events.map(({ at }) => at)),
    ...eventColumns(events),
  ])) as readonly { readonly at: BigintColumn }[];
  const done = new Set(rows.map(({ at }) => Number(at)));
  return commits.map((_, at) => done.has(at));
}

/** Whether it is a decision about a run that exists and stays. */
export function isSave({ seen, decision }: Commit): boolean {
  return seen.head !== null && decision.after !== null;
}

/** The parameters of `saveStatement`. */
export function encodeSave(commit: Commit): unknown[] {
  return [JSON.stringify(encodeHead(commit, 0)), ...eventColumns(eventsOf(commit, 0))];
}

/** A row of the JSON of heads. */
function encodeHead({ change, seen, decision }: Commit, at: number): object {
  const { head, nowMs: seenMs } = seen;
  const { after } = decision;
  const before = head?.revision ?? null;
  if (after === null) return { at, before, removed: true, seenMs, ordinal: head?.ordinal };
  const needsTopic = head === null && (change.topic ?? null) !== null;
  return { at, before, removed: false, seenMs, needsTopic, ...after, dueKind: dueKindOf(after) };
}

function eventsOf({ seen, decision }: Commit, at: number): readonly CommittedEvent[] {
  const { events = [], receipts = [] } = decision;
  const byEnd = new Map(receipts.map((receipt) => [receipt.lastSequence, receipt]));
  const from = (seen.head?.lastSequence ?? 0) + 1;
  return events.map(({ eventType, payload }, nth) => {
    const sequence = from + nth;
    const receipt = byEnd.get(sequence);
    const keyEvents =
      receipt === undefined ? null : receipt.lastSequence - receipt.firstSequence + 1;
    return {
      at,
      sequence,
      eventType,
      payload,
      key: receipt?.idempotencyKey ?? null,
      keyEvents,
      keyStatus: receipt?.runStatus ?? null,
      keyPhase: receipt?.phase ?? null,
    };
  });
}

function eventColumns(events: readonly CommittedEvent[]): readonly string[] {
  return [
    listed(events.map(({ sequence }) => sequence)),
    joined(events.map(({ eventType }) => eventType)),
    joined(events.map(({ payload }) => payload)),
    joined(events.map(({ key }) => key)),
    listed(events.map(({ keyEvents }) => keyEvents)),
    joined(events.map(({ keyStatus }) => keyStatus)),
    joined(events.map(({ keyPhase }) => keyPhase)),
  ];
}
