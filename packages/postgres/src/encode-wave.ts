import { isTerminal } from "@tm/run-events-core";
import type { RunAppend } from "./plan-wave.ts";

interface RunValues {
  readonly runId: string;
  readonly ownerId: string | null;
  readonly expected: number | null;
  readonly runStatus: string;
  readonly phase: string | null;
  readonly events: number;
  readonly finishes: boolean;
}

interface EventValues {
  readonly at: number;
  readonly nth: number;
  readonly eventType: string;
  readonly phase: string | null;
  readonly payload: string;
  readonly key: string | null;
  readonly keyEvents: number | null;
}

/** The parameters of the `append` statement: an array a column. */
export function encodeWave(appends: readonly RunAppend[]): unknown[] {
  const runs = appends.map(runValues);
  const events = appends.map(eventValues).flat();
  return [
    runs.map((run) => run.runId),
    runs.map((run) => run.ownerId),
    runs.map((run) => run.expected),
    runs.map((run) => run.runStatus),
    runs.map((run) => run.phase),
    runs.map((run) => run.events),
    runs.map((run) => run.finishes),
    events.map((event) => event.at),
    events.map((event) => event.nth),
    ...eventColumns(events),
  ];
}

/** The parameters of the `appendToOne` statement. */
export function encodeAppend(append: RunAppend): unknown[] {
  const { runId, ownerId, expected, runStatus, phase, events, finishes } = runValues(append);
  const values = [runId, ownerId, expected, runStatus, phase, events, finishes];
  return [...values, ...eventColumns(eventValues(append, 0))];
}

function eventColumns(events: readonly EventValues[]): unknown[] {
  return [
    events.map((event) => event.eventType),
    events.map((event) => event.phase),
    events.map((event) => event.payload),
    events.map((event) => event.key),
    events.map((event) => event.keyEvents),
  ];
}

function runValues({ runId, requests }: RunAppend): RunValues {
  const first = requests[0]?.request;
  const runStatus = requests.at(-1)?.request.runStatus ?? "running";
  let phase: string | null = null;
  let events = 0;
  for (const { request } of requests) {
    events += request.events.length;
    phase = request.events.findLast((event) => event.phase !== null)?.phase ?? phase;
  }
  return {
    runId,
    ownerId: first?.ownerId ?? null,
    expected: first?.expectedSequence ?? null,
    runStatus,
    phase,
    events,
    finishes: isTerminal(runStatus),
  };
}

function eventValues({ requests }: RunAppend, index: number): readonly EventValues[] {
  const values: EventValues[] = [];
  for (const { request } of requests) {
    const { events, idempotencyKey } = request;
    events.forEach(({ eventType, phase, payload }, position) => {
      // The last event of a request carries its key.
      const key = position === events.length - 1 ? idempotencyKey : null;
      const keyEvents = key === null ? null : events.length;
      const nth = values.length + 1;
      values.push({ at: index + 1, nth, eventType, phase, payload, key, keyEvents });
    });
  }
  return values;
}
