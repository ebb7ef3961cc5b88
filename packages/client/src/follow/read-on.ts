import { RunEventsError } from "@tm/run-events-core";
import { createAttempt, type ReaderPlace, type Reading } from "./attempt.ts";
import { afterFailure, expectLoss, startCourse } from "./course.ts";
import type { FollowOptions } from "./follow-options.ts";
import { linkAbort } from "../http/link-abort.ts";
import { onPageReturn } from "./page-signals.ts";
import { pause } from "../http/pause.ts";
import { planDelay } from "../http/plan-delay.ts";
import { pollRun } from "./poll-run.ts";
import { bestFor, bestRoute, type Loss, type Transport } from "./route.ts";
import { tailCall } from "../http/run-calls.ts";
import { createServer, type Server } from "../http/server.ts";
import { unanswered } from "../http/server-errors.ts";
import type { ConnectionState } from "./connection-state.ts";
import { streamRun } from "./stream-run.ts";

/**
 * Reads a run to its end, one attempt after another. `course.ts` decides what follows an attempt.
 *
 * | it is      | until                                        | then                 |
 * | ---------- | -------------------------------------------- | -------------------- |
 * | attempting | events arrive                                | they are handed over |
 * | attempting | the run's end arrives                        | over                 |
 * | attempting | it is time for the best transport again      | attempting           |
 * | attempting | it fails, and waiting may help               | paused               |
 * | attempting | it fails for good, or the signal aborts      | over: `next` rejects |
 * | paused     | the pause is over, or the page comes back    | attempting           |
 * @param place the last event that was handed over
 * @param best the best transport that may be used; without it, the best for the credential
 * @returns a reading whose `next` throws the failures that waiting cannot cure
 */
export function readOn(
  options: FollowOptions,
  place: ReaderPlace,
  update: (change: Partial<ConnectionState>) => void,
  best?: Transport,
): Reading {
  const { runId, heartbeatMs, signal: whole } = options;
  /** How far before the end the reader begins, until its cursor is there. @see clause W45 in `WIRE.md` */
  let { tail } = options;
  const server = createServer(options);
  let course = startCourse(best ?? bestFor(options.credential));
  /** The pause that the stream's `retry:` asked for, in milliseconds. */
  let askedMs = 0;
  /** Whether the page has come back since the attempt began. */
  let hasReturned = false;
  let abort = (_reason?: unknown): void => {};
  /** The attempt that is under way. */
  let reading: Reading | undefined;
  /** Is called when the page comes back. */
  let checkNow = (): void => {};
  const onSeen = (listener: () => void): void => void (checkNow = listener);
  const onRetry = (retryMs: number): void => void (askedMs = retryMs);
  const giveUp = (why: string): void => abort(unanswered(why));
  const stopListening = onPageReturn((hasMoved) => {
    hasReturned = true;
    if (hasMoved) giveUp("The page was away from the network.");
    checkNow();
  });

  async function attempt(): Promise<Reading> {
    const { signal, abort: cut } = linkAbort(whole);
    abort = cut;
    const startedAt = performance.now();
    const expect = (loss: Loss): void => {
      course = expectLoss(course, loss, performance.now() - startedAt);
      // Bytes may still arrive after the attempt has been given up.
      if (loss === "cut") hasReturned &&= signal.aborted;
    };
    expect("away");
    hasReturned = false;
    if (tail !== undefined) update({ cursor: await askStart(server, options, tail, signal) });
    tail = undefined;
    const { transport, probeAt } = course.route;
    const on = { update, expect, giveUp, onRetry, onSeen };
    const current = createAttempt({ server, runId, signal, heartbeatMs, ...place, ...on });
    if (transport !== "stream") return pollRun(current, transport === "long_poll", probeAt);
    return streamRun(current);
  }

  /** Closes the connection. */
  function close(): void {
    abort();
    reading?.end();
    reading = undefined;
  }

  async function wait(error: RunEventsError): Promise<void> {
    course = afterFailure(course, performance.now());
    update({ state: "paused", error });
    // A full server asks for a pause of the transport that is given up, not of the next one.
    const atLeastMs = course.loss === "full" ? 0 : (error.details.retryAfterMs ?? askedMs);
    const delayMs = planDelay(course.failures, atLeastMs, Math.random(), options.mostDelayMs);
    await pause(hasReturned ? 0 : delayMs, whole, onSeen);
  }

  return {
    async next() {
      for (;;) {
        whole?.throwIfAborted();
        try {
          reading ??= await attempt();
          const arrived = await reading.next();
          // Only an event is progress, a first frame is not.
          if (typeof arrived === "object") course = { ...course, failures: 0 };
          if (arrived !== false) return arrived;
          close();
          course = { ...course, route: bestRoute(course.route.best) };
        } catch (error) {
          close();
          whole?.throwIfAborted();
          if (!(error instanceof RunEventsError && error.retryable)) throw error;
          await wait(error);
        }
      }
    },
    end() {
      close();
      stopListening();
    },
  };
}

/**
 * Asks for the sequence before the last events of a run. The server refuses a `since` besides.
 * @see clause W45 in `WIRE.md` of `@tm/run-events-http`
 */
async function askStart(
  server: Server,
  { runId, since, at }: FollowOptions,
  tail: number,
  signal: AbortSignal,
): Promise<number> {
  const call = tailCall(runId, tail, { since, at, limit: 1, wait: 0 });
  return (await server.askJson<{ readonly since: number }>(call, signal)).since;
}
