import type { RunEvent, RunStatus } from "@tm/run-events-core";
import { contiguous } from "../http/contiguous.ts";
import { pageCall, readPage, streamCall, tailCall, WAIT_SECONDS } from "../http/run-calls.ts";
import type { Server } from "../http/server.ts";
import { unanswered } from "../http/server-errors.ts";
import type { ConnectionState } from "./connection-state.ts";

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

/** The log of one follower. It hands over exactly cursor + 1, cursor + 2, …, even if the server repeats or omits events. */
export interface FollowLog {
  /** Aborts when the attempt ends. */
  readonly signal: AbortSignal;
  /** The sequence of the last event that was handed over. */
  readonly cursor: () => number;
  /** The `createdAt` of that event, if it is known. Each request names it. @see clause W46 in `WIRE.md` */
  readonly at: () => string | undefined;
  readonly update: (change: Partial<ConnectionState>) => void;
  /** Sets the run's status and phase, and clears the error. */
  readonly setStatus: (update: RunUpdate) => void;
  /**
   * The events after the cursor: those of `arrived`, or else a page from the server.
   * @throws RunEventsError `store_unavailable`, retryable, if that page does not continue at the cursor
   */
  readonly ready: (arrived: readonly RunEvent[]) => Promise<RunEvent[]>;
  /**
   * Moves the cursor to this many events before the end.
   * @param since what else the reader asked for, which the server refuses
   * @see clause W45 in `WIRE.md`
   */
  readonly seek: (tail: number, since: number | undefined) => Promise<void>;
  /**
   * Reads the page after the cursor.
   * @param isHeld whether the server holds the answer until something is new
   */
  readonly readPage: (isHeld: boolean) => Promise<Page>;
  /**
   * Opens the stream after the cursor.
   * @param onHead called when the head of an answer has arrived
   */
  readonly openStream: (onHead: () => void) => Promise<Response>;
}

/** What a follower's log needs. */
export interface FollowLogOptions extends Pick<FollowLog, "signal" | "cursor" | "at" | "update"> {
  readonly server: Server;
  readonly runId: string;
}

/** Creates a log that reads at a cursor. The caller moves the cursor when it takes events. */
export function createFollowLog(options: FollowLogOptions): FollowLog {
  const { server, runId, signal, cursor, at, update } = options;

  async function askPage(isHeld: boolean): Promise<Page> {
    const wait = isHeld ? WAIT_SECONDS : 0;
    const call = pageCall(runId, { since: cursor(), at: at(), wait });
    return server.askJson({ ...call, read: readPage }, signal);
  }

  return {
    signal,
    cursor,
    at,
    update,
    setStatus: ({ runStatus, currentPhase }) => update({ runStatus, currentPhase, error: null }),
    async ready(arrived) {
      let events = contiguous(arrived, cursor());
      if (events.length === 0) events = contiguous((await askPage(false)).events, cursor());
      if (events.length === 0)
        throw unanswered(`Expected event ${cursor() + 1} next, but the server left it out.`);
      return events;
    },
    async seek(tail, since) {
      const call = tailCall(runId, tail, { since, at: at(), limit: 1, wait: 0 });
      const page = await server.askJson<{ readonly since: number }>(call, signal);
      update({ cursor: page.since });
    },
    readPage: askPage,
    openStream: (onHead) => server.askStream(streamCall(runId, cursor(), at()), signal, onHead),
  };
}
