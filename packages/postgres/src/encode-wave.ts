import { ANYBODY, encodeAppender } from "./encode-appender.ts";
import type { RunAppend } from "./plan-wave.ts";
import { SEPARATOR } from "./statements.ts";

/** The parameters of the `append` statement: a column each, of all runs or of all events. */
export function encodeWave(appends: readonly RunAppend[]): unknown[] {
  const runs: RunColumns = [[], [], [], [], [], [], []];
  const places: EventPlaces = [[], []];
  const events = createEventColumns();
  appends.forEach((append, index) => {
    addRun(runs, append);
    addEvents(events, append, places, index + 1);
  });
  const [runIds, ownerIds, expected, appenders, runStatuses, phases, counts] = runs;
  // An owner may be any text.
  return [
    join(runIds),
    ownerIds,
    list(expected),
    list(appenders),
    join(runStatuses),
    join(phases),
    list(counts),
    ...places.map(list),
    ...encodeEvents(events),
  ];
}

/** Whether `encodeEach` can take the wave. */
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
    join(requests.map(({ runStatus }) => runStatus)),
    join(events.map(({ eventType }) => eventType)),
    join(events.map(({ phase }) => phase)),
    join(events.map(({ payload }) => payload)),
    join(requests.map(({ idempotencyKey }) => idempotencyKey)),
  ];
}

/** The parameters of the `appendToOne` statement. */
export function encodeAppend(append: RunAppend): unknown[] {
  const run: RunColumns = [[], [], [], [], [], [], []];
  addRun(run, append);
  const events = createEventColumns();
  addEvents(events, append);
  return [...run.flat(), ...encodeEvents(events)];
}

function encodeEvents([eventTypes, phases, payloads, keys, keyEvents]: EventColumns): unknown[] {
  return [join(eventTypes), join(phases), join(payloads), join(keys), list(keyEvents)];
}

function list(values: readonly (number | null)[]): string {
  return `{${values.map((value) => value ?? "NULL").join(",")}}`;
}

/**
 * A column as one text: pg takes an array apart value for value, and escapes each, which was a quarter of what an append took
 * of this process. No value holds the separator: ids, types and keys have no control characters, and JSON has them only
 * escaped. What is `null` is empty, as no value is.
 */
function join(values: readonly unknown[]): string {
  return values.join(SEPARATOR);
}

type RunColumns = readonly [
  runIds: string[],
  ownerIds: (string | null)[],
  expected: (number | null)[],
  /** As `encodeAppender` has it. */
  appenders: number[],
  runStatuses: string[],
  /** The last one that its events start. */
  phases: (string | null)[],
  /** How many events. */
  counts: number[],
];

function addRun(columns: RunColumns, { runId, requests }: RunAppend): void {
  const [runIds, ownerIds, expected, appenders, runStatuses, phases, counts] = columns;
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
  runStatuses.push(requests.at(-1)?.request.runStatus ?? "running");
  phases.push(phase);
  counts.push(count);
}

/** Where events go: the place of the run, from 1, and their own within the run's. */
type EventPlaces = readonly [at: number[], nth: number[]];

type EventColumns = readonly [
  eventType: string[],
  phase: (string | null)[],
  payload: string[],
  key: (string | null)[],
  keyEvents: (number | null)[],
];

function createEventColumns(): EventColumns {
  return [[], [], [], [], []];
}

function addEvents(
  columns: EventColumns,
  { requests }: RunAppend,
  places?: EventPlaces,
  at = 1,
): void {
  const [eventTypes, phases, payloads, keys, keyEvents] = columns;
  let nth = 0;
  for (const { request } of requests) {
    const { events, idempotencyKey } = request;
    events.forEach(({ eventType, phase, payload }, position) => {
      // The last event of a request carries its key.
      const key = position === events.length - 1 ? idempotencyKey : null;
      nth += 1;
      places?.[0].push(at);
      places?.[1].push(nth);
      eventTypes.push(eventType);
      phases.push(phase);
      payloads.push(payload);
      keys.push(key);
      keyEvents.push(key === null ? null : events.length);
    });
  }
}
