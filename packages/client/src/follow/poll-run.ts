import { isTerminal } from "@tm/run-events-core";
import type { Attempt, Page, Reading } from "./attempt.ts";
import { pause } from "../http/pause.ts";

/** The pause between two polls that the server answers at once, in milliseconds. A poll that takes as long as this was held. */
export const POLL_MS = 2_000;
/** The pause between two held polls, so that single events arrive a few at a time, in milliseconds. */
const GATHER_MS = 100;

/**
 * Polls a run to its end.
 * @param isHeld whether the server holds its answers until something is new
 * @param until when to stop, on `performance.now()`
 * @see clauses W15 to W17 in `WIRE.md`
 */
export function pollRun(attempt: Attempt, isHeld: boolean, until: number): Reading {
  const { signal, cursor, update, setStatus, ready, readPage, expect, onSeen } = attempt;
  let page: Page | undefined;
  /**
   * Whether the page had new events, or was held until there were some. An old page from a cache is neither, so it is not asked for without
   * a pause.
   */
  let isFresh = false;

  return {
    async next() {
      for (;;) {
        if (page !== undefined) {
          const { events, hasMore, runStatus, lastSequence } = page;
          // Only the last page of a run has a final status. @see clause W16 in `WIRE.md` of `@tm/run-events-http`
          const isEnd = isTerminal(runStatus);
          const isPast = (sequence: number): boolean => sequence > cursor();
          // If the page has a hole, or lacks the run's last events, the next page is read from there.
          if (events.some((event) => isPast(event.sequence)) || (isEnd && isPast(lastSequence))) {
            isFresh = true;
            return ready(events);
          }
          setStatus(page);
          page = undefined;
          if (isEnd) return true;
          if (!hasMore || !isFresh)
            await pause(isHeld && isFresh ? GATHER_MS : POLL_MS, signal, onSeen);
        }
        const now = performance.now();
        if (now >= until) return false;
        update({ state: "polling" });
        page = await readPage(isHeld).catch((error: unknown) => {
          const { code } = Object(error) as { readonly code?: unknown };
          // The server already holds as many polls as it can, but it can still answer one at once. @see clause W28 in `WIRE.md`
          if (isHeld && code === "too_many_requests") expect("full");
          // The poll was held, and a proxy has cut it.
          else if (performance.now() - now >= POLL_MS) expect("empty");
          throw error;
        });
        isFresh = performance.now() - now >= POLL_MS;
        expect("cut");
      }
    },
    end() {},
  };
}
