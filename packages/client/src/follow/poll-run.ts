import { isTerminal, RunEventsError } from "@tm/run-events-core";
import type { Attempt, Reading } from "./attempt.ts";
import type { Page } from "./follow-log.ts";
import { pause } from "../http/pause.ts";

/** The pause between two polls that the server answers at once, in milliseconds. */
const POLL_MS = 2_000;
/** The pause between two held polls, so that single events arrive a few at a time, in milliseconds. */
const GATHER_MS = 100;
/** A poll that breaks off after this time, in milliseconds, was held by the server and cut by a proxy. */
const HELD_MS = 2_000;

/**
 * Polls a run to its end.
 * @param isHeld whether the server holds its answers until something is new
 * @param until when to stop, on `performance.now()`
 * @see clauses W15 to W17 in `WIRE.md`
 */
export function pollRun(attempt: Attempt, isHeld: boolean, until: number): Reading {
  const { signal, cursor, update, setStatus, ready, readPage, expect, onActivity, onSeen } =
    attempt;
  let page: Page | undefined;
  /** Whether the page had new events. An old page from a cache has none, however often it is asked for. */
  let hasArrived = false;

  return {
    async next() {
      for (;;) {
        if (page !== undefined) {
          const { events, hasMore, runStatus } = page;
          // If the page has a hole, the next page is read from there.
          if (cursor() < (events.at(-1)?.sequence ?? 0)) {
            hasArrived = true;
            return ready(events);
          }
          setStatus(page);
          page = undefined;
          const isDone = !hasMore || !hasArrived;
          hasArrived = false;
          // Only the last page of a run has a final status. @see W16
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

/** Whether the server holds as many polls as it can. It can still answer one at once. @see clause W28 in `WIRE.md` */
function isFull(error: unknown): boolean {
  return error instanceof RunEventsError && error.code === "too_many_requests";
}
