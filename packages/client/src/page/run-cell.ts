import type { RunEvent, RunEventsError } from "@tm/run-events-core";
import type { ConnectionState } from "../follow/connection-state.ts";
import type { RunsReader } from "../follow/follow-runs.ts";
import { isOtherEvent } from "../http/is-other-event.ts";
import type { Range } from "../http/read-range.ts";
import { onceAFrame } from "./once-a-frame.ts";
import type { Cell } from "./page-connection.ts";

/** The last event that a reader has: its sequence, and its time if it is known. */
export interface Place {
  readonly since: number;
  readonly at: string | undefined;
}

/** Keeps the events that a page has of a run, from a sequence on, and the connection's state. */
export class RunCell implements Cell {
  readonly runId: string;
  /** The sequence before its first event. */
  readonly start: number;
  readonly #at: string | undefined;
  readonly #changeSoon: () => void;
  readonly #events: RunEvent[] = [];
  #connection: ConnectionState;

  /**
   * @param place the event after which its events begin
   * @param onChange called after changes, once a frame
   */
  constructor(runId: string, { since, at }: Place, onChange: () => void) {
    this.runId = runId;
    this.start = since;
    this.#at = at;
    this.#changeSoon = onceAFrame(onChange);
    const nothing = { state: "connecting", runStatus: null, currentPhase: null } as const;
    this.#connection = { ...nothing, cursor: since, error: null };
  }

  /** The sequence of its last event; `start` before the first one. */
  get cursor(): number {
    return this.start + this.#events.length;
  }

  /** The connection's state after all events so far. */
  get connection(): ConnectionState {
    return { ...this.#connection, cursor: this.cursor };
  }

  get isOver(): boolean {
    return ["finished", "failed"].includes(this.#connection.state);
  }

  /**
   * The time of the event with this sequence, if the cell knows it. For `start`, this is the time that the cell was created with.
   * @see clause W46 in `WIRE.md` of `@tm/run-events-http`
   */
  timeAt(sequence: number): string | undefined {
    return sequence === this.start ? this.#at : this.#events[sequence - this.start - 1]?.createdAt;
  }

  /** The events after a sequence that is not before `start`. The array is the caller's. */
  after(sequence: number): readonly RunEvent[] {
    return this.#events.slice(sequence - this.start);
  }

  show(state: "paused" | "failed", error: RunEventsError | null): void {
    this.#connection = { ...this.#connection, state, error };
    this.#changeSoon();
  }

  /** Reads on after the events that it has. */
  read(reader: RunsReader): () => void {
    const beginning = { since: this.cursor, at: this.timeAt(this.cursor) };
    return reader.add(this.runId, beginning, {
      onEvents: (events) => {
        this.#events.push(...events);
        this.#changeSoon();
      },
      onState: (connection) => {
        this.#connection = connection;
        this.#changeSoon();
      },
    });
  }
}

/** The events between the last one of a view and the first one of a cell. */
export function rangeBefore(cell: RunCell, place: Place): Omit<Range, "runId"> {
  const { start } = cell;
  const next = cell.timeAt(start) === undefined ? cell.after(start)[0] : undefined;
  return { ...place, until: start, next };
}

/** Whether a cell and a view have read two logs: the log of the cell has another event in place of the view's last one, or lacks it. */
export function isOtherLog(cell: RunCell, { since, at }: Place): boolean {
  const isMissing = cell.cursor < since && cell.connection.state === "finished";
  return isMissing || isOtherEvent(at, cell.timeAt(since));
}
