import { isTerminal, RunEventsError } from "@tm/run-events-core";
import type { Attempt, Reading } from "./attempt.ts";
import type { Page } from "./follow-log.ts";
import { pause } from "../http/pause.ts";

/** Between two polls that the server answers at once, in milliseconds. */
const POLL_MS = 2_000;
/** Between two that it holds: events that come one by one are asked for a few at a time. */
const GATHER_MS = 100;
/** A poll that breaks off after so long was held by the server, and by something on the way no longer, in milliseconds. */
const HELD_MS = 2_000;

/**
 * Polls a run to its end.
 * @param isHeld whether the server is to hold its answers until there is something. @see W17
 * @param until when to stop, on `performance.now()`
 * @see W15-W17
 */
export function pollRun(attempt: Attempt, isHeld: boolean, until: number): Reading {
  const { signal, cursor, update, setStatus, ready, readPage, expect, onActivity, onSeen } =
    attempt;
  let page: Page | undefined;
  /** Whether the page has brought something. An old one, as a cache gives it, brings nothing however often it is asked for. */
  let hasArrived = false;

  return {
    async next() {
      for (;;) {
        if (page !== undefined) {
          const { events, hasMore, runStatus } = page;
          // A page with a hole is asked for again from there.
          if (cursor() < (events.at(-1)?.sequence ?? 0)) {
            hasArrived = true;
            return ready(events);
          }
          setStatus(page);
          page = undefined;
          const isDone = !hasMore || !hasArrived;
          hasArrived = false;
          // An earlier page never says so. @see W16
          if (isTerminal(runStatus)) return true;
          if (isDone) await pause(isHeld ? GATHER_MS : POLL_MS, signal, onSeen);
        }
        const now = performance.now();
        if (now >= until) return false;
        update({ state: "polling" });
        page = await readPage(isHeld).catch((error: unknown) => {
          if (isHeld && isFull(error)) expect("full");
          else if (performance.now() - now >= HELD_MS) expect("empty");
          throw error;
        });
        onActivity();
        expect("cut");
      }
    },
    end() {},
  };
}

/** Whether the server has no place for another held poll. A poll that it answers at once needs none. @see W28 */
function isFull(error: unknown): boolean {
  return error instanceof RunEventsError && error.code === "too_many_requests";
}
