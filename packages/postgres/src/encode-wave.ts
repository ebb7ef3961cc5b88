import type { RunAppend } from "./plan-wave.ts";

/** The parameters of the `append` statement: an array a column. */
export function encodeWave(appends: readonly RunAppend[]): unknown[] {
  const runs = appends.map(runValues);
  const events = createEventColumns();
  appends.forEach((append, index) => addEvents(events, append, index + 1));
  return [
    runs.map(([runId]) => runId),
    runs.map(([, ownerId]) => ownerId),
    runs.map(([, , expected]) => expected),
    runs.map(([, , , runStatus]) => runStatus),
    runs.map(([, , , , phase]) => phase),
    runs.map(([, , , , , count]) => count),
    ...events,
  ];
}

/** The parameters of the `appendToOne` statement. */
export function encodeAppend(append: RunAppend): unknown[] {
  const events = createEventColumns();
  addEvents(events, append, 1);
  // There is one run, and its events stand in their order.
  const [, , ...columns] = events;
  return [...runValues(append), ...columns];
}

/** Id, owner, expected sequence, status, last phase, number of events. */
type RunValues = readonly [
  runId: string,
  ownerId: string | null,
  expected: number | null,
  runStatus: string,
  phase: string | null,
  events: number,
];

function runValues({ runId, requests }: RunAppend): RunValues {
  const first = requests[0]?.request;
  let phase: string | null = null;
  let events = 0;
  for (const { request } of requests) {
    events += request.events.length;
    phase = request.events.findLast((event) => event.phase !== null)?.phase ?? phase;
  }
  const runStatus = requests.at(-1)?.request.runStatus ?? "running";
  return [runId, first?.ownerId ?? null, first?.expectedSequence ?? null, runStatus, phase, events];
}

type EventColumns = readonly [
  at: number[],
  nth: number[],
  eventType: string[],
  phase: (string | null)[],
  payload: string[],
  key: (string | null)[],
  keyEvents: (number | null)[],
];

function createEventColumns(): EventColumns {
  return [[], [], [], [], [], [], []];
}

/** @param at the place of the run, from 1 */
function addEvents(columns: EventColumns, { requests }: RunAppend, at: number): void {
  const [ats, nths, eventTypes, phases, payloads, keys, keyEvents] = columns;
  let nth = 0;
  for (const { request } of requests) {
    const { events, idempotencyKey } = request;
    events.forEach(({ eventType, phase, payload }, position) => {
      // The last event of a request carries its key.
      const key = position === events.length - 1 ? idempotencyKey : null;
      nth += 1;
      ats.push(at);
      nths.push(nth);
      eventTypes.push(eventType);
      phases.push(phase);
      payloads.push(payload);
      keys.push(key);
      keyEvents.push(key === null ? null : events.length);
    });
  }
}
