import { RunEventsError } from "@tm/run-events-core";
import { pause } from "../http/pause.ts";
import { planDelay } from "../http/plan-delay.ts";
import { listCall } from "../http/feed-calls.ts";
import type { Server } from "../http/server.ts";
import { POLL_MS } from "../follow/poll-run.ts";
import type { FollowedFeed, PolledList } from "./followed-feed.ts";

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
    const isHeld: boolean = polls.isHeld && !isFull;
    const askedAt = performance.now();
    try {
      const start = feed.start();
      const call = listCall({ ...start, isHeld });
      const list = await server.askJson<PolledList>(call, signal);
      hasAnswered = true;
      isFull = false;
      feed.takeList(list);
      feed.update({ state: "polling", error: null });
      // A server could send answers without holding them, for ever.
      const isSame = list === null || list.version === start.version;
      const isHasty = isSame && performance.now() - askedAt < POLL_MS;
      await pause(isHeld && !isHasty ? GATHER_MS : POLL_MS, signal, onSeen);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof RunEventsError && error.retryable)) throw error;
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
