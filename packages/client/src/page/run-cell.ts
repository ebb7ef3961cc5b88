import type { RunEvent } from "@tm/run-events-core";
import type { ConnectionState } from "../follow/connection-state.ts";
import { isOtherEvent } from "../http/is-other-event.ts";
import type { Range } from "../http/read-range.ts";

/** The time between two calls of the listener, in milliseconds. So a replay of thousands of events makes only a few dozen views. */
const FRAME_MS = 16;

/** The last event that a reader has: its sequence, and its time if it is known. */
export interface Place {
  readonly since: number;
  readonly at: string | undefined;
}

/** Keeps the events that a page has of a run, from a sequence on, and the connection's state. */
export interface RunCell {
  /** The sequence before its first event. */
  readonly start: number;
  /** The sequence of its last event; `start` before the first one. */
  readonly cursor: () => number;
  /** The time of the event at `cursor`, if it is known. @see clause W46 in `WIRE.md` of `@tm/run-events-http` */
  readonly at: () => string | undefined;
  /** The time of the event with this sequence, if the cell knows it. For `start`, this is the time that the cell was created with. */
  readonly timeAt: (sequence: number) => string | undefined;
  /** The events after a sequence that is not before `start`. The array is the caller's. */
  readonly after: (sequence: number) => readonly RunEvent[];
  /** Adds the events that continue the sequence. Others are ignored. */
  readonly add: (events: readonly RunEvent[]) => void;
  readonly setConnection: (connection: ConnectionState) => void;
  /** The connection's state after all events so far. */
  readonly connection: () => ConnectionState;
}

/**
 * Creates a cell without events.
 * @param place the event after which its events begin
 * @param onChange called after changes, once a frame
 */
export function createRunCell({ since: start, at }: Place, onChange: () => void): RunCell {
  const events: RunEvent[] = [];
  let connection: ConnectionState = {
    state: "connecting",
    runStatus: null,
    currentPhase: null,
    cursor: start,
    error: null,
  };
  let timer: ReturnType<typeof setTimeout> | undefined;
  const cursor = (): number => start + events.length;
  const timeAt = (sequence: number): string | undefined =>
    sequence === start ? at : events[sequence - start - 1]?.createdAt;

  function changeSoon(): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      onChange();
    }, FRAME_MS);
  }

  return {
    start,
    cursor,
    at: () => timeAt(cursor()),
    timeAt,
    after: (sequence) => events.slice(sequence - start),
    add(arrived) {
      for (const event of arrived) if (event.sequence === cursor() + 1) events.push(event);
      changeSoon();
    },
    setConnection(next) {
      connection = next;
      changeSoon();
    },
    connection: () => ({ ...connection, cursor: cursor() }),
  };
}

/** The events between the last one of a view and the first one of a cell. */
export function rangeBefore({ start, timeAt, after }: RunCell, place: Place): Omit<Range, "runId"> {
  const next = timeAt(start) === undefined ? after(start)[0] : undefined;
  return { ...place, until: start, next };
}

/** Whether a cell and a view have read two logs: the log of the cell has another event in place of the view's last one, or lacks it. */
export function isOtherLog({ cursor, timeAt, connection }: RunCell, { since, at }: Place): boolean {
  const isMissing = cursor() < since && connection().state === "finished";
  return isMissing || isOtherEvent(at, timeAt(since));
}
