import type { RunEvent, RunEventsPage } from "@tm/run-events-core";
import { historyChanged } from "@tm/run-events-core/wire";
import { contiguous } from "./contiguous.ts";
import { isOtherEvent } from "./is-other-event.ts";
import type { CallOptions } from "./retrying.ts";
import { pageCall } from "./run-calls.ts";
import type { Server } from "./server.ts";
import { unanswered } from "./server-errors.ts";

/** The most events of a page. @see clause W15 in `WIRE.md` */
const MOST_EVENTS = 1_000;

/** Events of a run that are there already. */
export interface Range {
  readonly runId: string;
  /** The sequence before the first event of the range. */
  readonly since: number;
  /** The `createdAt` of the event `since`, if it is known. @see clause W46 in `WIRE.md` */
  readonly at?: string | undefined;
  /** The sequence of the last event of the range. If it is not larger than `since`, the range is empty. */
  readonly until: number;
  /** The event after the range, if it is known. It is read again, and its time is compared: this shows that the range is of the same log. */
  readonly next?: RunEvent | undefined;
}

/**
 * Reads a range of a run's events in order, a page at a time.
 * @throws RunEventsError `history_changed` if the log has lost one of them, or `next`
 * @throws as `ask`
 */
export async function* readRange(
  server: Server,
  { runId, since, at: firstAt, until, next }: Range,
  how: CallOptions,
): AsyncGenerator<readonly RunEvent[], void, undefined> {
  const end = next?.sequence ?? until;
  let last = since;
  let at = firstAt;
  function readPage(json: unknown): readonly RunEvent[] {
    const page = json as RunEventsPage;
    const events = contiguous(page.events, last).slice(0, end - last);
    const again = events.find(({ sequence }) => sequence === next?.sequence);
    if (page.lastSequence < end || isOtherEvent(next?.createdAt, again?.createdAt))
      throw historyChanged(page.lastSequence);
    if (events.length > 0) return events;
    throw unanswered(`Expected event ${last + 1} next, but the server left it out.`);
  }
  while (last < end) {
    const query = { since: last, at, limit: Math.min(MOST_EVENTS, end - last), wait: 0 };
    const call = { ...pageCall(runId, query), read: readPage };
    const events = await server.ask<readonly RunEvent[]>(call, how);
    last += events.length;
    at = events.at(-1)?.createdAt;
    yield events.filter(({ sequence }) => sequence <= until);
  }
}
