import type { RunEvent, RunStatus } from "@tm/run-events-core";
import { contiguous } from "../http/contiguous.ts";
import { pageCall, readPage, streamCall, WAIT_SECONDS } from "../http/run-calls.ts";
import type { Server } from "../http/server.ts";
import { unanswered } from "../http/server-errors.ts";
import type { ConnectionState } from "./connection-state.ts";
import type { StreamAttempt } from "./stream-frames.ts";

/** The part of an answer that is about the whole run. */
interface RunUpdate {
  readonly runStatus: RunStatus;
  readonly currentPhase: string | null;
}

/** A page of the log. @see clause W15 in `WIRE.md` */
export interface Page extends RunUpdate {
  readonly events: readonly RunEvent[];
  readonly lastSequence: number;
  readonly hasMore: boolean;
}

/** The last event that a reader has. */
export interface ReaderPlace {
  /** The sequence of the last event that was handed over. */
  readonly cursor: () => number;
  /** The `createdAt` of that event, if it is known. Each request names it. @see clause W46 in `WIRE.md` */
  readonly at: () => string | undefined;
}

/** One attempt to follow a run. It hands over exactly cursor + 1, cursor + 2, …, even if the server repeats or omits events. */
export interface Attempt extends StreamAttempt {
  readonly cursor: ReaderPlace["cursor"];
  readonly update: (change: Partial<ConnectionState>) => void;
  /** Sets the run's status and phase, and clears the error. */
  readonly setStatus: (update: RunUpdate) => void;
  /**
   * The events after the cursor: those of `arrived`, or else a page from the server.
   * @throws RunEventsError `store_unavailable`, retryable, if that page does not continue at the cursor
   */
  readonly ready: (arrived: readonly RunEvent[]) => Promise<RunEvent[]>;
  /**
   * Reads the page after the cursor.
   * @param isHeld whether the server holds the answer until something is new
   */
  readonly readPage: (isHeld: boolean) => Promise<Page>;
}

/** What an attempt needs. */
interface AttemptOptions
  extends ReaderPlace, Pick<Attempt, "update">, Omit<StreamAttempt, "openStream"> {
  readonly server: Server;
  readonly runId: string;
}

/** Creates an attempt that reads at a cursor. The caller moves the cursor when it takes events. */
export function createAttempt(options: AttemptOptions): Attempt {
  const { server, runId, at, ...rest } = options;
  const { signal, cursor, update } = rest;

  async function askPage(isHeld: boolean): Promise<Page> {
    const wait = isHeld ? WAIT_SECONDS : 0;
    const call = pageCall(runId, { since: cursor(), at: at(), wait });
    return server.askJson({ ...call, read: readPage }, signal);
  }

  return {
    ...rest,
    setStatus: ({ runStatus, currentPhase }) => update({ runStatus, currentPhase, error: null }),
    async ready(arrived) {
      let events = contiguous(arrived, cursor());
      if (events.length === 0) events = contiguous((await askPage(false)).events, cursor());
      if (events.length === 0)
        throw unanswered(`Expected event ${cursor() + 1} next, but the server left it out.`);
      return events;
    },
    readPage: askPage,
    openStream: (onHead) => server.askStream(streamCall(runId, cursor(), at()), signal, onHead),
  };
}

/**
 * Reads the events after a cursor. It is an object and not a generator, because each suspended step costs time and memory where
 * many runs are followed.
 */
export interface Reading {
  /**
   * Resolves with the next events, at least one. Resolves with `true` after the run's end, and with `false` when it is time to try
   * another transport. Call it again once the events are handled. The array is the caller's.
   * @throws RunEventsError if the attempt is lost
   * @throws the signal's reason
   */
  next(): Promise<RunEvent[] | boolean>;
  /** Ends the reading. Not to be called while `next` is pending. */
  end(): void;
}
