import type { RunEvent, RunStatus } from "@tm/run-events-core";
import type { EventMap } from "./event-map.ts";
import { checkPayload, type PayloadSchemas } from "./payload-schema.ts";
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
export interface Page extends RunNews {
  readonly events: readonly RunEvent[];
  readonly hasMore: boolean;
}

/** The log as its follower has it: whatever arrives, what is handed over is cursor + 1, cursor + 2, … */
export interface FollowLog {
  /** Where the run is on the server. */
  readonly path: string;
  /** Where to read on. */
  cursor(): number;
  /**
   * Hands over what is missing up to this sequence, and nothing twice: the event that has arrived once it is next, and what is
   * missing before it from the events endpoint.
   */
  take(to: number, arrived?: RunEvent): AsyncGenerator<RunEvent, void, undefined>;
  /** The page behind the cursor. @param isHeld whether the server holds the answer until there is something */
  readPage(isHeld: boolean): Promise<Page>;
  hear(news: RunNews): void;
  readonly update: (change: Partial<Standing>) => void;
}

/** What a log is made of. */
export interface FollowLogOptions {
  readonly server: Server;
  readonly runId: string;
  readonly schemas: PayloadSchemas<EventMap>;
  readonly signal: AbortSignal;
  readonly cursor: () => number;
  readonly update: (change: Partial<Standing>) => void;
}

/** A log behind a cursor, which moves with each event before that is handed over. */
export function createFollowLog(options: FollowLogOptions): FollowLog {
  const { server, schemas, signal, cursor, update } = options;
  const path = `/v1/agent-runs/${encodeURIComponent(options.runId)}`;

  async function readPage(isHeld: boolean): Promise<Page> {
    const waitSeconds = isHeld ? WAIT_SECONDS : 0;
    const query = `/events?since=${cursor()}&limit=${PAGE_LIMIT}&wait=${waitSeconds}`;
    const page = await server.askJson<Page | null>({ path: path + query, signal }, waitSeconds);
    if (page?.events === undefined) throw unheard();
    return page;
  }

  return {
    path,
    cursor,
    async *take(to, arrived) {
      while (cursor() < to) {
        const since = cursor();
        const isNext = arrived?.sequence === since + 1;
        for (const event of isNext ? [arrived] : (await readPage(false)).events) {
          if (event.sequence !== cursor() + 1) break;
          const payload = await checkPayload(schemas, event.eventType, event.payload);
          update({ cursor: event.sequence, error: null });
          yield payload === event.payload ? event : { ...event, payload };
        }
        if (cursor() === since) throw unheard();
      }
    },
    readPage,
    hear: ({ runStatus, currentPhase }) => update({ runStatus, currentPhase, error: null }),
    update,
  };
}
