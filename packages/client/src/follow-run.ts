import { type RunEvent, RunEventsError } from "@tm/run-events-core";
import { canStream } from "./credential.ts";
import type { EventMap, TypedEvent } from "./event-map.ts";
import { createFollowLog } from "./follow-log.ts";
import { linkAbort } from "./link-abort.ts";
import { onWake } from "./page-signals.ts";
import { pause } from "./pause.ts";
import type { PayloadSchemas } from "./payload-schema.ts";
import { planDelay } from "./plan-delay.ts";
import { pollRun } from "./poll-run.ts";
import { afterFruit, afterLoss, bestRoute, type Loss } from "./route.ts";
import { createServer, type ServerOptions, unheard } from "./server.ts";
import type { Standing } from "./standing.ts";
import { streamRun } from "./stream-run.ts";

/** A stream is given up when nothing has come for so many heartbeats. */
const SILENT_HEARTBEATS = 2.5;
/** An attempt over which something came after so long was no failure, in milliseconds, whatever it brought. */
const LONG_LIFE_MS = 30_000;

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
  const { onStanding, schemas = {} } = options;
  let standing: Standing = {
    state: "connecting",
    runStatus: null,
    currentPhase: null,
    cursor: since,
    error: null,
  };
  let isTaken = false;
  let failures = 0;

  function update(change: Partial<Standing>): void {
    const next = { ...standing, ...change };
    // A first frame is no progress.
    if (next.cursor > standing.cursor) failures = 0;
    if (Object.entries(change).every(([key, value]) => standing[key as keyof Standing] === value))
      return;
    standing = next;
    Object.assign(follower, next);
    onStanding?.(next);
  }

  async function* follow(): AsyncGenerator<RunEvent, void, undefined> {
    if (isTaken) throw new TypeError("Iterated twice.");
    isTaken = true;
    const { signal: whole = new AbortController().signal } = options;
    const server = createServer(options);
    let route = bestRoute(canStream(credential) ? "stream" : "long_poll");
    let askedMs = 0;
    let isWoken = false;
    let giveUp = (): void => {};
    let look = (): void => {};
    const onSeen = (listener: () => void): void => void (look = listener);
    const stopListening = onWake((hasMoved) => {
      isWoken = true;
      if (hasMoved) giveUp();
      look();
    });
    try {
      for (;;) {
        whole.throwIfAborted();
        const { signal, abort } = linkAbort(whole);
        const startedAt = performance.now();
        let loss: Loss = "away";
        const expect = (next: Loss): void => {
          loss = next;
          if (next !== "cut") return;
          route = afterFruit(route);
          if (performance.now() - startedAt > LONG_LIFE_MS) failures = 0;
          // Something may still be on its way when the attempt has been given up.
          isWoken &&= signal.aborted;
        };
        giveUp = () => abort(unheard());
        isWoken = false;
        const cursor = (): number => standing.cursor;
        const log = createFollowLog({ server, runId, schemas, signal, cursor, update });
        const attempt = { log, server, signal, expect, giveUp, onSeen };
        const { transport, probeAt } = route;
        try {
          const isOver =
            transport === "stream"
              ? yield* streamRun(attempt, heartbeatMs * SILENT_HEARTBEATS, (ms) => (askedMs = ms))
              : yield* pollRun(attempt, transport === "long_poll", probeAt);
          if (isOver) return update({ state: "finished" });
          route = bestRoute(route.best);
        } catch (error) {
          whole.throwIfAborted();
          if (!(error instanceof RunEventsError && error.retryable)) throw error;
          failures += 1;
          route = afterLoss(route, loss, performance.now());
          update({ state: "waiting", error });
          const leastMs = error.details.retryAfterMs ?? askedMs;
          const delayMs = isWoken ? 0 : planDelay(failures, leastMs, Math.random());
          await pause(delayMs, whole, onSeen);
        } finally {
          // Leaving the loop closes the connection.
          abort();
        }
      }
    } catch (cause) {
      if (!whole.aborted) update({ state: "failed", error: asError(cause) });
      throw cause;
    } finally {
      stopListening();
    }
  }

  const follower: RunFollower<M> = {
    ...standing,
    // What the types promise of payloads is the caller's word, or the schemas'.
    [Symbol.asyncIterator]: () => follow() as AsyncGenerator<TypedEvent<M>, void, undefined>,
  };
  return follower;
}

function asError(cause: unknown): RunEventsError {
  return cause instanceof RunEventsError
    ? cause
    : new RunEventsError("internal", String(cause), { cause });
}
