import { RunEventsError, type RunEvent, type RunStatus } from "@tm/run-events-core";
import type { EventMap } from "./event-map.ts";
import { checkPayload, type PayloadSchemas } from "./payload-schema.ts";
import type { Server } from "./server.ts";
import type { Standing } from "./standing.ts";

/** How many events a page has at most. @see W15 */
const PAGE_LIMIT = 500;
/** How long the server may hold a poll, in seconds. @see W17 */
const WAIT_SECONDS = 25;
/** How long an answer may take beyond that, in milliseconds. */
const ANSWER_MS = 20_000;

/** What the server says of the run. */
export interface RunNews {
  readonly runStatus: RunStatus;
  readonly currentPhase: string | null;
}

/** A page of the log. @see W15 */
export interface Page extends RunNews {
  readonly events: readonly RunEvent[];
  readonly lastSequence: number;
  readonly hasMore: boolean;
}

/** The log as its follower has it: whatever arrives, what is handed over is cursor + 1, cursor + 2, … */
export interface FollowLog {
  /** Where to read on. */
  cursor(): number;
  /** Hands over an event that has arrived: what is missing before it first, and nothing twice. */
  take(event: RunEvent): AsyncGenerator<RunEvent, void, undefined>;
  /** Hands over what is missing up to this sequence, from the events endpoint. */
  fill(to: number): AsyncGenerator<RunEvent, void, undefined>;
  /** The page behind the cursor. @param isHeld whether the server holds the answer until there is something */
  readPage(isHeld: boolean): Promise<Page>;
  hear(news: RunNews): void;
  readonly update: (change: Partial<Standing>) => void;
}

/** What a log is made of. */
export interface FollowLogOptions {
  readonly server: Server;
  readonly runId: string;
  readonly since: number;
  readonly schemas: PayloadSchemas<EventMap>;
  readonly signal: AbortSignal;
  readonly update: (change: Partial<Standing>) => void;
  /** Told of each event that is new. */
  readonly onProgress: () => void;
}

/** A log that begins behind `since`. */
export function createFollowLog(options: FollowLogOptions): FollowLog {
  const { server, runId, schemas, signal, update, onProgress } = options;
  let cursor = options.since;

  async function* handOver(event: RunEvent): AsyncGenerator<RunEvent, void, undefined> {
    const payload = await checkPayload(schemas, event.eventType, event.payload);
    cursor = event.sequence;
    onProgress();
    update({ cursor, error: null });
    yield payload === event.payload ? event : { ...event, payload };
  }

  async function readPage(isHeld: boolean): Promise<Page> {
    const wait = isHeld ? `&wait=${WAIT_SECONDS}` : "";
    const path = `/v1/agent-runs/${runId}/events?since=${cursor}&limit=${PAGE_LIMIT}${wait}`;
    const answerMs = ANSWER_MS + (isHeld ? WAIT_SECONDS * 1_000 : 0);
    const page = await server.askJson<Page>({ path, signal, answerMs });
    if (page.events.every(({ sequence }, index) => sequence === cursor + 1 + index)) return page;
    throw new RunEventsError("internal", "The page has a hole.", { retryable: true });
  }

  async function* fill(to: number): AsyncGenerator<RunEvent, void, undefined> {
    while (cursor < to) {
      const { events } = await readPage(false);
      if (events.length === 0) {
        throw new RunEventsError("internal", "An event is not in the log.", { retryable: true });
      }
      for (const event of events) yield* handOver(event);
    }
  }

  return {
    cursor: () => cursor,
    async *take(event) {
      yield* fill(event.sequence - 1);
      if (event.sequence === cursor + 1) yield* handOver(event);
    },
    fill,
    readPage,
    hear: ({ runStatus, currentPhase }) => update({ runStatus, currentPhase }),
    update,
  };
}
