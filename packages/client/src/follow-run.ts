import { isRunId, type RunEvent, RunEventsError, runNotFound } from "@tm/run-events-core";
import { canStream } from "./credential.ts";
import type { EventMap, TypedEvent } from "./event-map.ts";
import { createFollowLog } from "./follow-log.ts";
import { hostSignals } from "./page-signals.ts";
import { pause } from "./pause.ts";
import type { PayloadSchemas } from "./payload-schema.ts";
import { planDelay } from "./plan-delay.ts";
import { pollRun } from "./poll-run.ts";
import { afterFruit, afterLoss, bestRoute, type Loss } from "./route.ts";
import { linkAbort } from "./link-abort.ts";
import { createServer, type ServerOptions } from "./server.ts";
import type { Standing } from "./standing.ts";
import { streamRun } from "./stream-run.ts";

/** Which run to follow, and how. */
export interface FollowOptions<M extends EventMap = EventMap> extends ServerOptions {
  readonly runId: string;
  /** The last sequence that you have. Default 0. */
  readonly since?: number;
  /** Ends it with the signal's reason, whatever is waited for. */
  readonly signal?: AbortSignal;
  /** The server's own, in milliseconds: a stream that is silent for 2.5 of them is given up. Default 15,000. @see W22 */
  readonly heartbeatMs?: number;
  /** Payloads are handed over as these give them back. */
  readonly schemas?: PayloadSchemas<M>;
  /** Told whenever any of it changes; with each event before it is handed over. */
  readonly onStanding?: (standing: Standing) => void;
}

/** A run that is followed: its events, and where the follower stands. */
export interface RunFollower<M extends EventMap = EventMap>
  extends Standing, AsyncIterable<TypedEvent<M>> {}

/**
 * Follows a run: every event behind `since`, once and in order, however often the connection is lost; then the loop ends.
 * One connection is open at a time, from the first step of the loop until it is left. Nothing is read ahead of a slow loop
 * but what has arrived.
 *
 * It is the live stream with a session, and polls that the server holds with a bearer token. Where streams do not get through
 * it polls, and tries the stream again after five minutes.
 * @throws RunEventsError `not_found`, `unauthenticated`, `cursor_ahead` and whatever else waiting does not mend; the signal's
 * reason. A TypeError if it is iterated twice.
 * @see W15-W17, W19-W26
 *
 * @example
 * for await (const event of followRun({ runId })) console.log(event.sequence, event.eventType);
 */
export function followRun<M extends EventMap = EventMap>(
  options: FollowOptions<M>,
): RunFollower<M> {
  const { runId, since = 0, credential = "session", heartbeatMs = 15_000 } = options;
  const { onStanding = () => {}, schemas = {} } = options;
  let standing: Standing = {
    state: "connecting",
    runStatus: null,
    currentPhase: null,
    cursor: since,
    error: null,
  };
  let isTaken = false;

  function update(change: Partial<Standing>): void {
    const next = { ...standing, ...change };
    const keys = Object.keys(change) as (keyof Standing)[];
    if (keys.every((key) => next[key] === standing[key])) return;
    standing = next;
    onStanding(standing);
  }

  async function* follow(): AsyncGenerator<RunEvent, void, undefined> {
    if (isTaken) throw new TypeError("Expected a follower to be iterated once.");
    isTaken = true;
    const { signal, abort, unlink } = linkAbort(options.signal);
    const page = hostSignals();
    let wake: (how: "seen" | "moved") => void = () => {};
    const stopListening = page.onWake((how) => wake(how));
    const onWake = (listener: typeof wake): void => void (wake = listener);
    const server = createServer(options);
    let route = bestRoute(canStream(credential) ? "stream" : "long_poll");
    let failures = 0;
    let askedMs = 0;
    let loss: Loss = "away";
    const onProgress = (): void => void (failures = 0);
    const onFruit = (): void => void (route = afterFruit(route));
    const onLoss = (how: Loss): void => void (loss = how);
    const onRetry = (retryMs: number): void => void (askedMs = retryMs);
    const log = createFollowLog({ server, runId, since, schemas, signal, update, onProgress });

    async function* attempt(): AsyncGenerator<RunEvent, boolean, undefined> {
      const { transport, probeAt: until } = route;
      if (transport !== "stream") {
        const isHeld = transport === "long_poll";
        return yield* pollRun({ log, signal, isHeld, until, onFruit, onLoss, onWake });
      }
      const witness = { onFruit, onLoss, onRetry, onWake, onLongLife: onProgress };
      yield* streamRun({ log, server, runId, page, heartbeatMs, signal, ...witness });
      return true;
    }

    try {
      signal.throwIfAborted();
      if (!isRunId(runId)) throw runNotFound();
      for (;;) {
        try {
          loss = "away";
          askedMs = 0;
          if (yield* attempt()) {
            update({ state: "finished" });
            return;
          }
          route = bestRoute(route.best);
        } catch (error) {
          signal.throwIfAborted();
          if (!(error instanceof RunEventsError && error.retryable)) throw error;
          failures += 1;
          route = afterLoss(route, loss, performance.now());
          update({ state: "waiting", error });
          const least = Math.max(askedMs, error.details.retryAfterMs ?? 0);
          await pause(planDelay(failures, least, Math.random()), signal, onWake);
        }
      }
    } catch (error) {
      if (error instanceof RunEventsError) update({ state: "failed", error });
      throw error;
    } finally {
      abort(undefined);
      unlink();
      stopListening();
    }
  }

  return {
    get state() {
      return standing.state;
    },
    get runStatus() {
      return standing.runStatus;
    },
    get currentPhase() {
      return standing.currentPhase;
    },
    get cursor() {
      return standing.cursor;
    },
    get error() {
      return standing.error;
    },
    // What the types promise of payloads is the caller's word, or the schemas'.
    [Symbol.asyncIterator]: () => follow() as AsyncGenerator<TypedEvent<M>, void, undefined>,
  };
}
