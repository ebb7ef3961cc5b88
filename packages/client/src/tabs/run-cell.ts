import type { RunEvent } from "@tm/run-events-core";
import type { ConnectionState } from "../follow/connection-state.ts";

/** The time between two calls of the listener, in milliseconds. So a replay of thousands of events makes only a few dozen views. */
const FRAME_MS = 16;

/** Keeps the events that a page has of a run, from a sequence on, and the connection's state. */
export interface RunCell {
  /** The sequence before its first event. */
  readonly start: number;
  /** The sequence of its last event; `start` before the first one. */
  readonly cursor: () => number;
  /** The time of its last event; `undefined` before the first one. @see clause W46 in `WIRE.md` of `@tm/run-events-http` */
  readonly at: () => string | undefined;
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
 * @param start the sequence after which its events begin
 * @param onChange called after changes, once a frame
 */
export function createRunCell(start: number, onChange: () => void): RunCell {
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

  function changeSoon(): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      onChange();
    }, FRAME_MS);
  }

  return {
    start,
    cursor,
    at: () => events.at(-1)?.createdAt,
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
