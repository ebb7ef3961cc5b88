import { isTerminal, type RunEvent, type RunEventsPage } from "@tm/run-events-core";
import { checkRunId, type encodeRunStart, invalidCursor } from "@tm/run-events-core/wire";
import { contiguous } from "../http/contiguous.ts";
import type { RunBeginning } from "../http/queries.ts";
import { type Call, pageCall, WAIT_SECONDS } from "../http/run-calls.ts";
import { unanswered } from "../http/server-errors.ts";
import type { ConnectionState } from "./connection-state.ts";
import { Followed, type Polled, type StateListener } from "./followed.ts";

/** The state before the first answer. */
export const CONNECTING: ConnectionState = {
  state: "connecting",
  runStatus: null,
  currentPhase: null,
  cursor: 0,
  error: null,
};

/** The callbacks for one run of a reader of many. */
export interface RunListener {
  /**
   * Called with the events after the cursor, in order, at least one. The array is the listener's. Nothing more is read until the promise
   * that it returns resolves.
   */
  readonly onEvents: (events: RunEvent[]) => void | Promise<void>;
  /** Called after each change of the run's connection. `finished` and `failed` are final. */
  readonly onState: StateListener<ConnectionState>;
}

/** One run that is followed. It hands over exactly cursor + 1, cursor + 2, …, even if the server repeats or omits events. */
export class FollowedRun extends Followed<ConnectionState> {
  readonly key: string;
  /** Single events arrive a few at a time. */
  readonly gatherMs = 100;
  readonly #onEvents: RunListener["onEvents"];
  /** The number of events before the end at which the reader begins, until its cursor is there. */
  #tail: number | undefined;
  /** The time of the event at the cursor, if it is known. */
  #at: string | undefined;

  /** @throws RunEventsError `not_found` if no run can have the id, `invalid_cursor` */
  constructor(runId: string, { since = 0, at, tail }: RunBeginning, listener: RunListener) {
    checkRunId(runId);
    if (!Number.isSafeInteger(since) || since < 0) throw invalidCursor(since);
    super({ ...CONNECTING, cursor: since }, listener.onState);
    this.key = runId;
    this.#onEvents = listener.onEvents;
    this.#tail = tail;
    this.#at = at;
  }

  get cursor(): number {
    return this.connection.cursor;
  }

  /** Where to go on. */
  start(): Parameters<typeof encodeRunStart>[0] {
    return { runId: this.key, since: this.cursor, at: this.#at, tail: this.#tail };
  }

  /** Takes the server's word where the tail begins. @see clause W45 in `WIRE.md` */
  begin(since: number | undefined): void {
    if (this.#tail === undefined || since === undefined) return;
    this.#tail = undefined;
    this.update({ cursor: since });
  }

  /**
   * Hands over the events that continue at the cursor.
   * @returns whether none is missing before one of them
   */
  async take(events: readonly RunEvent[]): Promise<boolean> {
    if (this.isOver) return true;
    const next = contiguous(events, this.cursor);
    const last = this.cursor + next.length;
    if (next.length > 0) {
      this.failures = 0;
      this.#at = next.at(-1)?.createdAt;
      const handled = this.#onEvents(next);
      this.update({ cursor: last, error: null });
      await handled;
    }
    return events.every(({ sequence }) => sequence <= last);
  }

  /** The error of a server that has left out the next event. */
  missing(): Error {
    return unanswered(`Expected event ${this.cursor + 1} next, but the server left it out.`);
  }

  pollCall(isHeld: boolean): Call {
    const wait = isHeld ? WAIT_SECONDS : 0;
    if (this.#tail !== undefined) return pageCall(this.key, { tail: this.#tail, wait });
    return pageCall(this.key, { since: this.cursor, at: this.#at, wait });
  }

  /** Only the last page of a run has a final status. @see clause W16 in `WIRE.md` of `@tm/run-events-http` */
  async takeAnswer(page: RunEventsPage): Promise<Polled> {
    const { events, since, hasMore, runStatus, currentPhase, lastSequence } = page;
    this.begin(since);
    const before = this.cursor;
    const isWhole = await this.take(events);
    const isNew = this.cursor > before;
    const isEnd = isTerminal(runStatus);
    const isMissing = !isWhole || (isEnd && lastSequence > this.cursor);
    if (isMissing && !isNew) throw this.missing();
    const state = isEnd ? "finished" : "polling";
    if (!isMissing) this.update({ state, runStatus, currentPhase, error: null });
    return { isNew, hasMore: hasMore || isMissing };
  }
}
