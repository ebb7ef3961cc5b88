import { RunEventsError } from "@tm/run-events-core";
import { pause } from "../http/pause.ts";
import { planDelay } from "../http/plan-delay.ts";
import { changedCall } from "../http/feed-calls.ts";
import type { Server } from "../http/server.ts";
import type { FeedChanges } from "./fold-changes.ts";
import { POLL_MS } from "../follow/poll-run.ts";
import type { FollowedFeed } from "./followed-feed.ts";

/** The pause between two held polls, as a live feed has it between two states of a run, in milliseconds. */
const GATHER_MS = 250;

/** How a feed is polled. */
export interface FeedPolls {
  readonly server: Server;
  /** Whether the server may hold its answers until something has changed. */
  readonly isHeld: boolean;
  readonly mostDelayMs?: number | undefined;
  readonly signal: AbortSignal;
  /** Called when the server gave no answer before any other came. */
  readonly onSilence: () => void;
  /** Sets the one listener that ends the pause when the page comes back. */
  readonly onSeen: (listener: () => void) => void;
}

/**
 * Polls a feed until the signal aborts.
 * @throws what waiting cannot cure
 * @throws the signal's reason
 * @see clause W48 in `WIRE.md`
 */
export async function pollFeed(feed: FollowedFeed, polls: FeedPolls): Promise<never> {
  const { server, signal, onSilence, onSeen } = polls;
  let hasAnswered = false;
  /** Whether the server holds as many polls as it can. */
  let isFull = false;
  for (;;) {
    const { cursor, ...want } = feed.start();
    const isHeld: boolean = polls.isHeld && !isFull;
    const askedAt = performance.now();
    try {
      const call = changedCall({ ...want, cursor, isHeld });
      const changes = await server.askJson<FeedChanges>(call, signal);
      hasAnswered = true;
      isFull = false;
      feed.take(changes);
      feed.update({ state: "polling", error: null });
      const pauseMs = planPause(changes, cursor, performance.now() - askedAt);
      if (pauseMs > 0) await pause(isHeld ? pauseMs : POLL_MS, signal, onSeen);
    } catch (error) {
      signal.throwIfAborted();
      if (isBadCursor(error, cursor)) feed.forgetCursor();
      else if (!(error instanceof RunEventsError && error.retryable)) throw error;
      const wasFull = isFull;
      isFull = isHeld && error.code === "too_many_requests";
      if (isFull && !wasFull) continue;
      feed.failures += 1;
      feed.update({ state: "paused", error });
      if (!hasAnswered) onSilence();
      const { retryAfterMs = 0 } = error.details;
      const delayMs = planDelay(feed.failures, retryAfterMs, Math.random(), polls.mostDelayMs);
      await pause(delayMs, signal, onSeen);
    }
  }
}

/**
 * The pause after an answer to a held poll, in milliseconds; 0 if the next page can be asked for at once. An answer makes progress if it
 * has another cursor, and some runs unless it is the last page. A server could send answers without progress, and without holding them, for
 * ever.
 */
function planPause(changes: FeedChanges, cursor: string | null, tookMs: number): number {
  const { isReset, runs, gone, hasMore } = changes;
  const startsOver = isReset && cursor !== null;
  const isEmpty = hasMore && runs.length + gone.length === 0;
  if (startsOver || isEmpty || changes.cursor === cursor)
    return tookMs < POLL_MS ? POLL_MS : GATHER_MS;
  return hasMore ? 0 : GATHER_MS;
}

/** Whether the server, perhaps another version of it, does not know the cursor: the feed then starts over. */
export function isBadCursor(error: unknown, cursor: string | null): error is RunEventsError {
  return cursor !== null && error instanceof RunEventsError && error.code === "invalid_cursor";
}
