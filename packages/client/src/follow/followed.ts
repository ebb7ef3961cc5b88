import type { RunEventsError } from "@tm/run-events-core";
import type { Call } from "../http/run-calls.ts";
import { toError } from "../http/server-errors.ts";

/** The state of the connection of a run, or of a list. */
interface Connection {
  readonly state: string;
  readonly error: RunEventsError | null;
}

/** The result of a poll. */
export interface Polled {
  /** Whether it had anything that the reader did not have. */
  readonly isNew: boolean;
  /** Whether the server has more already. */
  readonly hasMore: boolean;
}

/** Called after each change of a connection. `cause` is what was thrown, if it has failed. */
export type StateListener<C extends Connection> = (connection: C, cause?: unknown) => void;

/** A run, or the owner's list, that a reader follows: its connection, and how it is polled. */
export abstract class Followed<C extends Connection> {
  /** The id of the run; `null` for the list. */
  abstract readonly key: string | null;
  /** Whether its reader has left. Its listener is not called then. */
  isStopped = false;
  /** The number of times in a row that the server could not read it. */
  failures = 0;
  /** The pause between two held polls, in milliseconds. */
  abstract readonly gatherMs: number;
  readonly #onState: StateListener<C>;
  #connection: C;

  constructor(connection: C, onState: StateListener<C>) {
    this.#connection = connection;
    this.#onState = onState;
  }

  get connection(): C {
    return this.#connection;
  }

  get isOver(): boolean {
    return this.isStopped || ["finished", "failed"].includes(this.#connection.state);
  }

  /** Whether a stream serves it, or is about to. */
  get isOpen(): boolean {
    return ["connecting", "live"].includes(this.#connection.state);
  }

  /** Changes the connection; not after the end, nor while it is stopped. */
  update(change: Partial<C>, cause?: unknown): void {
    if (this.isOver) return;
    const before = this.#connection;
    const next = { ...before, ...change };
    if (Object.keys(change).every((key) => next[key as keyof C] === before[key as keyof C])) return;
    this.#connection = next;
    this.#onState(next, cause);
  }

  fail(cause: unknown): void {
    this.update({ state: "failed", error: toError(cause) } as Partial<C>, cause);
  }

  /** Asks for what is new. @param isHeld whether the server holds its answer until there is something */
  abstract pollCall(isHeld: boolean): Call;

  /**
   * Takes the answer to a poll.
   * @throws RunEventsError `store_unavailable`, retryable, if the server has left something out
   */
  abstract takeAnswer(answer: unknown): Promise<Polled>;
}
