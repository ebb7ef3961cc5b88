import type { RunEvent, RunStatus } from "@tm/run-events-core";
import { unheard, type Server } from "./server.ts";
import type { Standing } from "./standing.ts";

/** How many events a page has at most. @see W15 */
const PAGE_LIMIT = 500;
/** How long the server may hold a poll, in seconds. @see W17 */
const WAIT_SECONDS = 25;

/** What the server says of the run. */
export interface RunNews {
  readonly runStatus: RunStatus;
  readonly currentPhase: string | null;
}

/** A page of the log. @see W15 */
interface Page extends RunNews {
  readonly events: readonly RunEvent[];
  readonly hasMore: boolean;
}

/** Events, some at a time. */
export type EventBatches<Result> = AsyncGenerator<readonly RunEvent[], Result, undefined>;

/** The log as its follower has it: whatever arrives, what is handed over is cursor + 1, cursor + 2, … */
export interface FollowLog {
  /** Where the run is on the server. */
  readonly path: string;
  /** Where to read on. */
  cursor(): number;
  /** What follows on the cursor, one by one: what has arrived of it, else what the events endpoint has. It is to be there. */
  next(arrived: readonly RunEvent[]): Promise<readonly RunEvent[]>;
  /** The page behind the cursor. @param isHeld whether the server holds the answer until there is something */
  readPage(isHeld: boolean): Promise<Page>;
  hear(news: RunNews): void;
  readonly update: (change: Partial<Standing>) => void;
}

/** What a log is made of. */
export interface FollowLogOptions {
  readonly server: Server;
  readonly runId: string;
  readonly signal: AbortSignal;
  readonly cursor: () => number;
  readonly update: (change: Partial<Standing>) => void;
}

/** A log behind a cursor, which whoever takes the events moves. */
export function createFollowLog(options: FollowLogOptions): FollowLog {
  const { server, signal, cursor, update } = options;
  const path = `/v1/agent-runs/${encodeURIComponent(options.runId)}`;

  async function readPage(isHeld: boolean): Promise<Page> {
    const waitSeconds = isHeld ? WAIT_SECONDS : 0;
    const query = `/events?since=${cursor()}&limit=${PAGE_LIMIT}&wait=${waitSeconds}`;
    const page = await server.askJson<Page | null>({ path: path + query, signal }, waitSeconds);
    if (page?.events === undefined) throw unheard();
    return page;
  }

  /** Those that follow on the cursor. */
  function ready(events: readonly RunEvent[]): readonly RunEvent[] {
    let last = cursor();
    return events.filter(({ sequence }) => sequence === last + 1 && (last = sequence));
  }

  return {
    path,
    cursor,
    async next(arrived) {
      let events = ready(arrived);
      if (events.length === 0) events = ready((await readPage(false)).events);
      if (events.length === 0) throw unheard();
      return events;
    },
    readPage,
    hear: ({ runStatus, currentPhase }) => update({ runStatus, currentPhase, error: null }),
    update,
  };
}
