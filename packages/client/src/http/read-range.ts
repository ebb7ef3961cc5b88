import { type RunEvent } from "@tm/run-events-core";
import { contiguous } from "./contiguous.ts";
import { type Patience, retrying } from "./retrying.ts";
import { pageCall, readPage } from "./run-calls.ts";
import type { Server } from "./server.ts";
import { unanswered } from "./server-errors.ts";

/** The most events of a page. @see clause W15 in `WIRE.md` */
const MOST_EVENTS = 1_000;

/** Events of a run that are there already. */
export interface Range {
  readonly runId: string;
  /** The sequence before the first of them. */
  readonly since: number;
  /** The `createdAt` of the event `since`, if it is known. @see clause W46 in `WIRE.md` */
  readonly at?: string | undefined;
  /** The sequence of the last of them. If it is not larger than `since`, the range is empty. */
  readonly until: number;
}

/**
 * Reads a range of a run's events in order, a page at a time.
 * @throws as `retrying`
 */
export async function* readRange(
  server: Server,
  { runId, since, at: firstAt, until }: Range,
  patience: Patience,
): AsyncGenerator<readonly RunEvent[], void, undefined> {
  let last = since;
  let at = firstAt;
  async function readNext(): Promise<readonly RunEvent[]> {
    const query = { since: last, at, limit: Math.min(MOST_EVENTS, until - last), wait: 0 };
    const call = { ...pageCall(runId, query), read: readPage };
    const page = await server.askJson<{ readonly events: RunEvent[] }>(call, patience.signal);
    const events = contiguous(page.events, last).slice(0, until - last);
    if (events.length > 0) return events;
    throw unanswered(`Expected event ${last + 1} next, but the server left it out.`);
  }
  while (last < until) {
    const events = await retrying(readNext, patience);
    last += events.length;
    at = events.at(-1)?.createdAt;
    yield events;
  }
}
