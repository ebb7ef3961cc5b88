import type { RunEvent, RunStatus } from "@tm/run-events-core";
import { pageCall, readPage, streamCall, WAIT_SECONDS } from "../http/run-calls.ts";
import { askStream, type Server } from "../http/server.ts";
import { unanswered } from "../http/server-errors.ts";
import type { ConnectionState } from "./connection-state.ts";

/** What the server says of the run. */
interface RunUpdate {
  readonly runStatus: RunStatus;
  readonly currentPhase: string | null;
}

/** A page of the log. @see W15 */
export interface Page extends RunUpdate {
  readonly events: readonly RunEvent[];
  readonly hasMore: boolean;
}

/** The log as its follower has it: whatever arrives, what is handed over is cursor + 1, cursor + 2, … */
export interface FollowLog {
  /** Ends with the attempt. */
  readonly signal: AbortSignal;
  /** Where to read on: the last event that was handed over. */
  readonly cursor: () => number;
  readonly update: (change: Partial<ConnectionState>) => void;
  readonly setStatus: (update: RunUpdate) => void;
  /** What follows on the cursor: what has arrived of it, else what the events endpoint has. It is to be there. */
  readonly ready: (arrived: readonly RunEvent[]) => Promise<RunEvent[]>;
  /** The page behind the cursor. @param isHeld whether the server holds the answer until there is something */
  readonly readPage: (isHeld: boolean) => Promise<Page>;
  /** The stream after the cursor. @param onHead called when something has answered */
  readonly openStream: (onHead: () => void) => Promise<Response>;
}

/** What a log is made of. */
export interface FollowLogOptions extends Pick<FollowLog, "signal" | "cursor" | "update"> {
  readonly server: Server;
  readonly runId: string;
}

/** A log behind a cursor, which whoever takes the events moves. */
export function createFollowLog(options: FollowLogOptions): FollowLog {
  const { server, runId, signal, cursor, update } = options;

  async function askPage(isHeld: boolean): Promise<Page> {
    const wait = isHeld ? WAIT_SECONDS : 0;
    const call = pageCall(runId, { since: cursor(), wait });
    return server.askJson({ ...call, read: readPage }, signal);
  }

  function contiguous(events: readonly RunEvent[]): RunEvent[] {
    let last = cursor();
    return events.filter(({ sequence }) => sequence === last + 1 && (last = sequence));
  }

  return {
    signal,
    cursor,
    update,
    setStatus: ({ runStatus, currentPhase }) => update({ runStatus, currentPhase, error: null }),
    async ready(arrived) {
      let events = contiguous(arrived);
      if (events.length === 0) events = contiguous((await askPage(false)).events);
      if (events.length === 0) throw unanswered(`The server left out event ${cursor() + 1}.`);
      return events;
    },
    readPage: askPage,
    openStream: (onHead) => askStream(server, streamCall(runId, cursor()), signal, onHead),
  };
}
