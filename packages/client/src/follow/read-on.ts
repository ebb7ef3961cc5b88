import { RunEventsError } from "@tm/run-events-core";
import type { Reading } from "./attempt.ts";
import { canStream } from "../http/credential.ts";
import { createFollowLog } from "./follow-log.ts";
import type { FollowOptions } from "./follow-run.ts";
import { linkAbort } from "../http/link-abort.ts";
import { onWake } from "./page-signals.ts";
import { pause } from "../http/pause.ts";
import { planDelay } from "../http/plan-delay.ts";
import { pollRun } from "./poll-run.ts";
import { afterFruit, afterLoss, bestRoute, type Loss } from "./route.ts";
import { createServer } from "../http/server.ts";
import { unheard } from "../http/server-errors.ts";
import type { Standing } from "./standing.ts";
import { streamRun } from "./stream-run.ts";

/** A stream is given up when nothing has come for so many heartbeats. */
const SILENT_HEARTBEATS = 2.5;
/** An attempt over which something came after so long was no failure, in milliseconds, whatever it brought. */
const LONG_LIFE_MS = 30_000;

/**
 * Reads a run to its end, over one attempt after the other.
 * @param cursor where to read on: the last event that was handed over
 * @param heard called each time the server sends something, and when an attempt begins or fails
 * @returns whose `next` throws what waiting does not mend
 */
export function readOn(
  options: FollowOptions,
  cursor: () => number,
  update: (change: Partial<Standing>) => void,
  heard: () => void,
): Reading {
  const { runId, credential = "session", heartbeatMs = 15_000, signal: whole } = options;
  const server = createServer(options);
  let route = bestRoute(canStream(credential) ? "stream" : "long_poll");
  let failures = 0;
  let askedMs = 0;
  let isWoken = false;
  let loss: Loss;
  let abort = (_reason?: unknown): void => {};
  let reading: Reading | undefined;
  let look = (): void => {};
  const onSeen = (listener: () => void): void => void (look = listener);
  const stopListening = onWake((hasMoved) => {
    isWoken = true;
    if (hasMoved) giveUp("The page was away from the network.");
    look();
  });

  function giveUp(why: string): void {
    abort(unheard(why));
  }

  function attempt(): Reading {
    const linked = linkAbort(whole);
    const { signal } = linked;
    const startedAt = performance.now();
    const expect = (next: Loss): void => {
      loss = next;
      if (next !== "cut") return;
      route = afterFruit(route);
      if (failures > 0 && performance.now() - startedAt > LONG_LIFE_MS) failures = 0;
      // Something may still be on its way when the attempt has been given up.
      isWoken &&= signal.aborted;
    };
    ({ abort } = linked);
    loss = "away";
    isWoken = false;
    heard();
    const log = createFollowLog({ server, runId, signal, cursor, update });
    const { transport, probeAt } = route;
    const given = { ...log, expect, giveUp, heard, onSeen };
    return transport === "stream"
      ? streamRun(given, heartbeatMs * SILENT_HEARTBEATS, (ms) => (askedMs = ms))
      : pollRun(given, transport === "long_poll", probeAt);
  }

  /** Closes the connection. */
  function end(): void {
    abort();
    reading?.end();
    reading = undefined;
  }

  return {
    async next() {
      for (;;) {
        whole?.throwIfAborted();
        reading ??= attempt();
        try {
          const arrived = await reading.next();
          if (typeof arrived === "object") {
            // Only an event is progress, a first frame is not.
            failures = 0;
            return arrived;
          }
          if (arrived) return true;
          end();
          route = bestRoute(route.best);
        } catch (error) {
          end();
          whole?.throwIfAborted();
          if (!(error instanceof RunEventsError && error.retryable)) throw error;
          failures += 1;
          route = afterLoss(route, loss, performance.now());
          heard();
          update({ state: "waiting", error });
          // The pause that a full server asks for applies only to the transport that is given up.
          const atLeastMs = loss === "full" ? 0 : (error.details.retryAfterMs ?? askedMs);
          const delayMs = planDelay(failures, atLeastMs, Math.random());
          await pause(isWoken ? 0 : delayMs, whole, onSeen);
        }
      }
    },
    end() {
      end();
      stopListening();
    },
  };
}
