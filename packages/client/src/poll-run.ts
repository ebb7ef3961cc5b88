import { isTerminal, type RunEvent } from "@tm/run-events-core";
import type { FollowLog } from "./follow-log.ts";
import { pause } from "./pause.ts";
import type { Loss } from "./route.ts";

/** Between two polls that the server answers at once, in milliseconds. */
const POLL_MS = 2_000;
/** Between two that it holds: events that come one by one are asked for a few at a time. */
const GATHER_MS = 100;
/** A poll that breaks off after so long was held by the server, and by something on the way no longer, in milliseconds. */
const HELD_MS = 2_000;

/** One attempt's surroundings. */
export interface PollAttempt {
  readonly log: FollowLog;
  readonly signal: AbortSignal;
  /** Whether the server is to hold its answers until there is something. @see W17 */
  readonly isHeld: boolean;
  /** When to stop, on `performance.now()`. */
  readonly until: number;
  readonly onFruit: () => void;
  readonly onLoss: (loss: Loss) => void;
  readonly onWake: (listener: () => void) => void;
}

/**
 * Polls a run to its end.
 * @returns whether the run has ended; else it is time to try another way
 * @throws RunEventsError if a poll fails
 * @see W15-W17
 */
export async function* pollRun(attempt: PollAttempt): AsyncGenerator<RunEvent, boolean, undefined> {
  const { log, signal, isHeld, until, onFruit, onLoss, onWake } = attempt;
  for (;;) {
    const askedAt = performance.now();
    if (askedAt >= until) return false;
    log.update({ state: "polling" });
    const page = await log.readPage(isHeld).catch((error: unknown) => {
      onLoss(performance.now() - askedAt >= HELD_MS ? "barren" : "away");
      throw error;
    });
    onFruit();
    for (const event of page.events) yield* log.take(event);
    log.hear(page);
    log.update({ error: null });
    // An earlier page never says so. @see W16
    if (isTerminal(page.runStatus)) return true;
    if (!page.hasMore) await pause(isHeld ? GATHER_MS : POLL_MS, signal, onWake);
  }
}
