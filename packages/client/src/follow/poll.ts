import { RunEventsError } from "@tm/run-events-core";
import { pause } from "../http/pause.ts";
import { planDelay } from "../http/plan-delay.ts";
import type { Server } from "../http/server.ts";
import { PROBE_MS } from "./course.ts";
import type { Part } from "./plan-attempt.ts";

/** The pause between two polls that the server answers at once, in milliseconds. A poll that takes as long as this was held. */
const POLL_MS = 2_000;
/** After this many held polls in a row that broke off, the server is asked to answer at once. */
const MAX_CUT = 3;

/** The settings of a poll. */
export interface Polls {
  readonly server: Server;
  /** Whether the server may hold its answers until there is something new. */
  readonly isHeld: boolean;
  readonly mostDelayMs?: number | undefined;
  readonly signal: AbortSignal;
  /** Called when the server gave no answer before any other came: nothing shows that polls get through where a stream did not. */
  readonly onSilence: () => void;
}

/**
 * Polls until it is over, or the signal aborts. It never rejects.
 *
 * | the server                                         | then                                                  |
 * | -------------------------------------------------- | ----------------------------------------------------- |
 * | holds as many polls as it can, by its answer       | it is asked at once, for five minutes, not to hold    |
 * | has three held polls in a row broken off           | the same, after a pause                               |
 * | does not answer, or refuses for now                | it is asked again after a pause that grows            |
 * | refuses for good                                   | it has failed                                         |
 * @see clauses W15 to W17, W28 and W48 in `WIRE.md`
 */
export async function poll(part: Part, polls: Polls): Promise<void> {
  const { server, isHeld: mayHold, mostDelayMs, signal, onSilence } = polls;
  let hasAnswered = false;
  /** The number of held polls in a row that broke off. */
  let cut = 0;
  /** Until when the server is asked to answer at once. */
  let shortUntil = 0;

  /** Polls once. Resolves with the pause until the next poll, in milliseconds. */
  async function next(): Promise<number> {
    const askedAt = performance.now();
    const isHeld = mayHold && askedAt >= shortUntil;
    const isLong = (): boolean => performance.now() - askedAt >= POLL_MS;
    try {
      part.update({ state: "polling" });
      const answer = await server.askJson<never>(part.pollCall(isHeld), signal);
      [hasAnswered, cut] = [true, 0];
      const { isNew, hasMore } = await part.takeAnswer(answer);
      part.failures = 0;
      // An old page from a cache has nothing new and was not held, so it is not asked for without a pause.
      if (!isNew && !isLong()) return POLL_MS;
      if (hasMore) return 0;
      return isHeld ? part.gatherMs : POLL_MS;
    } catch (error) {
      return signal.aborted ? 0 : onLoss(error, isHeld, isHeld && isLong());
    }
  }

  function onLoss(error: unknown, isHeld: boolean, isCut: boolean): number {
    if (!(error instanceof RunEventsError && error.retryable)) {
      part.fail(error);
      return 0;
    }
    const isFull = isHeld && error.code === "too_many_requests";
    if (isCut) cut += 1;
    if (isFull || cut === MAX_CUT) [shortUntil, cut] = [performance.now() + PROBE_MS, 0];
    if (isFull) return 0;
    part.failures += 1;
    part.update({ state: "paused", error });
    if (!hasAnswered) onSilence();
    const { retryAfterMs = 0 } = error.details;
    return planDelay(part.failures, retryAfterMs, Math.random(), mostDelayMs);
  }

  while (!part.isOver && !signal.aborted) {
    const pauseMs = await next();
    if (pauseMs > 0 && !part.isOver) await pause(pauseMs, signal).catch(() => {});
  }
}
