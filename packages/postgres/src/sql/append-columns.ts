import { ANYBODY, encodeAppender, INPUT, KINDS, OWNER, REAPER, SWEPT } from "./encode-appender.ts";
import type { RunStatus } from "@tm/run-events-core";
import { changeOfAll, type RunAppend, statesOf } from "../plan-statement-batch.ts";
import { type BigintColumn, idleSince, NOW_MS, SEPARATOR } from "./columns.ts";

/** A run that took an append. */
export interface LandedRow {
  /** Its position in the statement, from 1. */
  readonly at: BigintColumn;
  readonly ordinal: BigintColumn;
  readonly ownerId: string;
  readonly base: BigintColumn;
  /** After all of the run's requests, as the phase is. */
  readonly runStatus: RunStatus;
  readonly phase: string | null;
}

/** SQL: whether the run `r` takes an append of an appender that `encodeAppender` encoded. It is core's `isFenced`. */
export function takes(runId: string, ownerId: string, expected: string, appender: string): string {
  const code = `(${REAPER} - ${appender})`;
  const untilMs = `${NOW_MS} - ${code} / ${KINDS}`;
  const swept = `(ARRAY['${SWEPT.join("', '")}'])[${code} % ${KINDS}]`;
  return `r.run_id = ${runId} AND r.finished_at_ms IS NULL
    AND (${ownerId} IS NULL OR r.owner_id = ${ownerId}) AND (${expected} IS NULL OR r.last_sequence = ${expected})
    AND CASE WHEN ${appender} = ${ANYBODY} THEN r.lease_expires_at_ms IS NULL
      WHEN ${appender} IN (${OWNER}, ${INPUT}) THEN true
      WHEN ${appender} > ${ANYBODY} THEN r.fence = ${appender} AND r.lease_expires_at_ms IS NOT NULL
      WHEN ${code} % ${KINDS} = 0 THEN r.lease_expires_at_ms <= ${untilMs}
      ELSE r.run_status = ${swept} AND r.lease_expires_at_ms IS NULL AND ${idleSince("r")} <= ${untilMs} END`;
}

/**
 * SQL: whether the run `r` has sequences left for so many events. It is the rule of core's `judgeAppend`, also for requests that land
 * together.
 */
export function fits(events: string, change: string): string {
  return `r.last_sequence + ${events} <= ${Number.MAX_SAFE_INTEGER} - CASE WHEN ${isLive(change)} THEN 1 ELSE 0 END`;
}

function isLive(change: string): string {
  return `${change} IN ('started', 'waiting', 'answered')`;
}

/**
 * SQL: how an append changes the head `r`. Its time never runs backwards (clause W2 in `WIRE.md`). The lease is core's `leaseAfter`, the
 * status core's `statusAfter`.
 */
export function moves(events: string, change: string, phase: string, appender: string): string {
  const live = isLive(change);
  return `fence = CASE WHEN ${appender} < ${ANYBODY} THEN r.fence + 1 ELSE r.fence END,
    lease_expires_at_ms = CASE WHEN ${appender} >= ${ANYBODY} AND ${live} THEN r.lease_expires_at_ms END,
    last_sequence = r.last_sequence + ${events}, phase = coalesce(${phase}, r.phase),
    run_status = CASE ${change} WHEN 'started' THEN CASE r.run_status WHEN 'queued' THEN 'running' ELSE r.run_status END
      WHEN 'answered' THEN CASE r.run_status WHEN 'waiting' THEN 'running' ELSE r.run_status END ELSE ${change} END,
    updated_at_ms = greatest(r.updated_at_ms, ${NOW_MS}),
    finished_at_ms = CASE WHEN NOT ${live} THEN greatest(r.updated_at_ms, ${NOW_MS}) END`;
}

/**
 * SQL: the receipt that an event `e` with a key has: how many events, and the run's state after them. What `statesOf` does not know is as it
 * is in the moved head.
 */
export function receipt(head: string): string {
  return `e.key, e.key_events,
    CASE WHEN e.key IS NOT NULL THEN coalesce(e.key_status, ${head}.run_status) END,
    CASE WHEN e.key IS NOT NULL THEN coalesce(e.key_phase, ${head}.phase) END`;
}

/** The columns of events: all but the last are texts. */
export function encodeEvents(columns: EventColumns): unknown[] {
  const [eventTypes, payloads, keys, keyStatuses, keyPhases, keyEvents] = columns;
  return [...[eventTypes, payloads, keys, keyStatuses, keyPhases].map(join), list(keyEvents)];
}

export function list(values: readonly (number | null)[]): string {
  return `{${values.map((value) => value ?? "NULL").join(",")}}`;
}

/**
 * A column as one text. pg would escape each value of an array by itself, which costs much of an append. No value contains the
 * separator: ids, types and keys have no control characters, and JSON has them only escaped. `null` is an empty text, since no
 * value is empty.
 */
export function join(values: readonly unknown[]): string {
  return values.join(SEPARATOR);
}

export type RunColumns = readonly [
  runIds: string[],
  ownerIds: (string | null)[],
  expected: (number | null)[],
  /** As from `encodeAppender`. */
  appenders: number[],
  /** As from `changeOfAll`. */
  changes: string[],
  /** The last phase that the run's events start. */
  phases: (string | null)[],
  /** How many events. */
  counts: number[],
];

export function addRun(columns: RunColumns, { runId, requests }: RunAppend): void {
  const [runIds, ownerIds, expected, appenders, changes, phases, counts] = columns;
  const first = requests[0]?.request;
  let phase: string | null = null;
  let count = 0;
  for (const { request } of requests) {
    count += request.events.length;
    phase = request.events.findLast((event) => event.phase !== null)?.phase ?? phase;
  }
  runIds.push(runId);
  ownerIds.push(first?.ownerId ?? null);
  expected.push(first?.expectedSequence ?? null);
  appenders.push(first ? encodeAppender(first.appender) : ANYBODY);
  changes.push(changeOfAll(requests));
  phases.push(phase);
  counts.push(count);
}

/** The positions of events: of the run in the statement, from 1, and of the event within the run. */
export type EventPlaces = readonly [at: number[], nth: number[]];

export type EventColumns = readonly [
  eventType: string[],
  payload: string[],
  /** The last event of a request has its key, and the receipt. */
  key: (string | null)[],
  keyStatus: (string | null)[],
  keyPhase: (string | null)[],
  keyEvents: (number | null)[],
];

export function createEventColumns(): EventColumns {
  return [[], [], [], [], [], []];
}

export function addEvents(
  columns: EventColumns,
  { requests }: RunAppend,
  places?: EventPlaces,
  at = 1,
): void {
  const [eventTypes, payloads, keys, keyStatuses, keyPhases, keyEvents] = columns;
  const states = statesOf(requests);
  let nth = 0;
  requests.forEach(({ request: { events, idempotencyKey } }, index) => {
    events.forEach(({ eventType, payload }, position) => {
      const key = position === events.length - 1 ? idempotencyKey : null;
      nth += 1;
      places?.[0].push(at);
      places?.[1].push(nth);
      eventTypes.push(eventType);
      payloads.push(payload);
      keys.push(key);
      keyStatuses.push(key === null ? null : (states[index]?.runStatus ?? null));
      keyPhases.push(key === null ? null : (states[index]?.phase ?? null));
      keyEvents.push(key === null ? null : events.length);
    });
  });
}
