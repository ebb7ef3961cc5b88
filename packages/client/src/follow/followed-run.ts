import type { RunEvent } from "@tm/run-events-core";
import type { RunStart } from "@tm/run-events-core/wire";
import { contiguous } from "../http/contiguous.ts";
import { toError } from "../http/server-errors.ts";
import type { ConnectionState } from "./connection-state.ts";

/** What a reader of many runs does with one of them. */
export interface RunListener {
  /** Called with the events after the cursor, in order, at least one. */
  readonly onEvents: (events: readonly RunEvent[]) => void;
  /** Called after each change of the run's connection. `finished` and `failed` are final. */
  readonly onState: (state: ConnectionState) => void;
}

/** Where to begin in a run. */
export interface RunBeginning {
  /**
   * The last sequence that you have.
   * @defaultValue 0
   */
  readonly since?: number | undefined;
  /**
   * The `createdAt` of the event `since`, as you got it.
   * @defaultValue none
   * @see clause W46 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly at?: string | undefined;
  /**
   * Begins this many events before the end, in place of `since`: 1 to 1,000.
   * @defaultValue none: `since` says where to begin
   * @see clause W45 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly tail?: number | undefined;
}

/**
 * One of the runs that are followed together: its cursor and its state. It hands over exactly cursor + 1, cursor + 2, …, even if the
 * server repeats events.
 */
export class FollowedRun {
  readonly runId: string;
  readonly #listener: RunListener;
  #connection: ConnectionState;
  /** How far before the end the reader begins, until its cursor is there. */
  #tail: number | undefined;
  /** The time of the event at the cursor, if it is known. */
  #at: string | undefined;
  #isStopped = false;
  /** How often in a row the server could not read this run. */
  failures = 0;

  constructor(runId: string, { since = 0, at, tail }: RunBeginning, listener: RunListener) {
    this.runId = runId;
    this.#listener = listener;
    this.#tail = tail;
    this.#at = at;
    this.#connection = {
      state: "connecting",
      runStatus: null,
      currentPhase: null,
      cursor: since,
      error: null,
    };
  }

  get cursor(): number {
    return this.#connection.cursor;
  }

  get at(): string | undefined {
    return this.#at;
  }

  get isOver(): boolean {
    const { state } = this.#connection;
    return this.#isStopped || state === "finished" || state === "failed";
  }

  get isLive(): boolean {
    return this.#connection.state === "live";
  }

  /** Whether a stream serves this run, or is about to. */
  get isOpen(): boolean {
    return this.isLive || this.#connection.state === "connecting";
  }

  /** Where to go on. */
  start(): RunStart {
    return { runId: this.runId, since: this.cursor, at: this.#at, tail: this.#tail };
  }

  /** The same, for a reader of this run alone. */
  beginning(): RunBeginning {
    return this.#tail === undefined ? { since: this.cursor, at: this.#at } : { tail: this.#tail };
  }

  /** Its listener is not called any more. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Nothing changes after the end, or once it is stopped. A cursor that the server has said takes the place of `tail`. */
  update(change: Partial<ConnectionState>): void {
    if (this.isOver) return;
    if (change.cursor !== undefined) this.#tail = undefined;
    const next = { ...this.#connection, ...change };
    const keys = Object.keys(change) as (keyof ConnectionState)[];
    if (keys.every((key) => next[key] === this.#connection[key])) return;
    this.#connection = next;
    this.#listener.onState(next);
  }

  /**
   * Hands over those that continue at the cursor.
   * @returns whether none is missing before one of them
   */
  take(events: readonly RunEvent[]): boolean {
    if (this.isOver) return true;
    const next = contiguous(events, this.cursor);
    const last = this.cursor + next.length;
    if (next.length > 0) {
      this.failures = 0;
      this.#at = next.at(-1)?.createdAt;
      this.#listener.onEvents(next);
      this.update({ cursor: last, error: null });
    }
    return events.every(({ sequence }) => sequence <= last);
  }

  fail(cause: unknown): void {
    this.update({ state: "failed", error: toError(cause) });
  }
}
