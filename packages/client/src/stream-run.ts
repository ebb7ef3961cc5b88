import { type RunEvent, RunEventsError, type RunEventsErrorCode } from "@tm/run-events-core";
import type { FollowLog } from "./follow-log.ts";
import { linkAbort } from "./link-abort.ts";
import type { PageSignals } from "./page-signals.ts";
import { readFrames } from "./read-frames.ts";
import type { Loss } from "./route.ts";
import type { Server } from "./server.ts";
import { keepVigil } from "./vigil.ts";

/** How long the first frame may take, in milliseconds. */
const CONNECTED_MS = 5_000;
/** A stream is given up when nothing has come for so many heartbeats. */
const SILENT_HEARTBEATS = 2.5;
/** A stream that lived for so long was no failure, in milliseconds, whatever it brought. */
const LONG_LIFE_MS = 30_000;

/** One attempt's surroundings. */
export interface StreamAttempt {
  readonly log: FollowLog;
  readonly server: Server;
  readonly runId: string;
  readonly page: PageSignals;
  readonly heartbeatMs: number;
  readonly signal: AbortSignal;
  readonly onFruit: () => void;
  readonly onLongLife: () => void;
  readonly onLoss: (loss: Loss) => void;
  readonly onRetry: (retryMs: number) => void;
  readonly onWake: (listener: (how: "seen" | "moved") => void) => void;
}

/**
 * Reads one live stream to its end, which is the run's.
 * @throws RunEventsError if it ends before: retryable, unless the server says that coming back is of no use
 * @see W19-W26
 */
export async function* streamRun(
  attempt: StreamAttempt,
): AsyncGenerator<RunEvent, void, undefined> {
  const { log, server, runId, page, heartbeatMs, onFruit, onLoss, onWake } = attempt;
  const { signal, abort, unlink } = linkAbort(attempt.signal);
  const giveUp = (why: string): void =>
    abort(new RunEventsError("store_unavailable", `The stream was given up: ${why}.`));
  const connecting = setTimeout(() => {
    onLoss("held_back");
    giveUp("its first frame did not come in time");
  }, CONNECTED_MS);
  const vigil = keepVigil(heartbeatMs * SILENT_HEARTBEATS, page, () =>
    giveUp("nothing came for too long"),
  );
  onWake((how) => (how === "seen" ? vigil.look() : giveUp("the network may be another")));
  const openedAt = performance.now();
  log.update({ state: "connecting" });
  try {
    const path = `/v1/agent-runs/${runId}/stream?since=${log.cursor()}`;
    const { body, headers } = await server.ask({
      path,
      headers: { accept: "text/event-stream" },
      signal,
    });
    onLoss("barren");
    if (body === null || headers.get("content-type")?.startsWith("text/event-stream") !== true) {
      throw new RunEventsError("internal", "The answer is no stream.", { retryable: true });
    }
    for await (const frame of readFrames(
      body,
      { onReading: vigil.onReading, onRetry: attempt.onRetry },
      signal,
    )) {
      clearTimeout(connecting);
      onFruit();
      onLoss("away");
      if (frame.type === "run_event") {
        yield* log.take(frame.event);
      } else if (frame.type === "error") {
        const { code, message, retryable } = frame;
        throw new RunEventsError(code as RunEventsErrorCode, message, { retryable });
      } else if (frame.type === "run_finished") {
        yield* log.fill(frame.lastSequence);
        log.hear(frame);
        return;
      } else if (frame.type === "connected" || frame.type === "status") {
        log.hear(frame);
        log.update({ state: "live", error: null });
        if (performance.now() - openedAt > LONG_LIFE_MS) attempt.onLongLife();
      }
    }
    throw new RunEventsError("store_unavailable", "The stream ended before the run.");
  } finally {
    clearTimeout(connecting);
    vigil.end();
    onWake(() => {});
    unlink();
    // Leaving the loop closes the connection.
    abort(undefined);
  }
}
