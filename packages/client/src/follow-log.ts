import type { RunEvent, RunStatus } from "@tm/run-events-core";
import { unheard, type Server } from "./server.ts";
import type { Standing } from "./standing.ts";

/** How many events a page has at most. @see W15 */
const PAGE_LIMIT = 500;
/** How long the server may hold a poll, in seconds. @see W17 */
const WAIT_SECONDS = 25;

/** What the server says of the run. */
interface RunNews {
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
  /**
   * Hands over, some at a time, what is missing up to this sequence, and nothing twice: what has arrived once it is next, and what
   * is missing before it from the events endpoint. The cursor has to have moved when it is asked for more.
   * @param to default: that of the last one that has arrived
   */
  take(arrived: readonly RunEvent[], to?: number): EventBatches<void>;
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

  /** Those that follow on the cursor, one by one. */
  function next(events: readonly RunEvent[]): readonly RunEvent[] {
    let last = cursor();
    return events.filter(({ sequence }) => sequence === last + 1 && (last = sequence));
  }

  return {
    path,
    cursor,
    async *take(arrived, to = arrived.at(-1)?.sequence ?? 0) {
      while (cursor() < to) {
        let events = next(arrived);
        if (events.length === 0) events = next((await readPage(false)).events);
        if (events.length === 0) throw unheard();
        yield events;
      }
    },
    readPage,
    hear: ({ runStatus, currentPhase }) => update({ runStatus, currentPhase, error: null }),
    update,
  };
}
