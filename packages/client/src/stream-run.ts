import { type RunEvent, RunEventsError } from "@tm/run-events-core";
import type { Attempt } from "./attempt.ts";
import { readFrames } from "./read-frames.ts";
import { unheard } from "./server.ts";
import { keepVigil } from "./vigil.ts";

/** How long the first frame may take, in milliseconds. */
const CONNECTED_MS = 5_000;

/**
 * Reads one live stream to its end, which is the run's.
 * @param silenceMs for how long nothing may come
 * @param onRetry told what `retry:` said, in milliseconds
 * @returns true
 * @throws RunEventsError if it ends before: retryable, unless the server says that coming back is of no use
 * @see W19-W26
 */
export async function* streamRun(
  attempt: Attempt,
  silenceMs: number,
  onRetry: (retryMs: number) => void,
): AsyncGenerator<RunEvent, boolean, undefined> {
  const { log, server, signal, expect, giveUp, onSeen } = attempt;
  const connecting = setTimeout(() => {
    expect("held_back");
    giveUp();
  }, CONNECTED_MS);
  const vigil = keepVigil(silenceMs, giveUp);
  onSeen(vigil.look);
  log.update({ state: "connecting" });
  try {
    const path = `${log.path}/stream?since=${log.cursor()}`;
    const headers = { accept: "text/event-stream" };
    const answer = await server.ask({ path, headers, signal });
    expect("barren");
    if (answer.body === null) throw unheard();
    for await (const frame of readFrames(answer.body, vigil.onReading, onRetry, signal)) {
      clearTimeout(connecting);
      expect("cut");
      if (frame.type === "run_event") {
        yield* log.take(frame.event.sequence, frame.event);
      } else if (frame.type === "error") {
        const { code, message, retryable, ...details } = frame;
        // What is worth a retry has codes that only streams have. @see W22
        throw new RunEventsError(retryable ? "store_unavailable" : code, message, {
          retryable,
          details,
        });
      } else if (frame.type === "run_finished") {
        yield* log.take(frame.lastSequence);
        log.hear(frame);
        return true;
      } else if (frame.type === "connected" || frame.type === "status") {
        log.hear(frame);
        log.update({ state: "live" });
      }
    }
    throw unheard();
  } finally {
    clearTimeout(connecting);
    vigil.end();
    onSeen(() => {});
  }
}
