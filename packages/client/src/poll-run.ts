import { isTerminal, type RunEvent } from "@tm/run-events-core";
import type { Attempt } from "./attempt.ts";
import { pause } from "./pause.ts";

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
 * @returns whether the run has ended; else it is time to try another way
 * @throws RunEventsError if a poll fails
 * @see W15-W17
 */
export async function* pollRun(
  attempt: Attempt,
  isHeld: boolean,
  until: number,
): AsyncGenerator<RunEvent, boolean, undefined> {
  const { log, signal, expect, onSeen } = attempt;
  for (;;) {
    const askedAt = performance.now();
    if (askedAt >= until) return false;
    log.update({ state: "polling" });
    const page = await log.readPage(isHeld).catch((error: unknown) => {
      if (performance.now() - askedAt >= HELD_MS) expect("barren");
      throw error;
    });
    expect("cut");
    for (const event of page.events) yield* log.take(event.sequence, event);
    log.hear(page);
    // An earlier page never says so. @see W16
    if (isTerminal(page.runStatus)) return true;
    if (!page.hasMore) await pause(isHeld ? GATHER_MS : POLL_MS, signal, onSeen);
  }
}
