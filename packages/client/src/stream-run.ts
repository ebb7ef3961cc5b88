import { RunEventsError } from "@tm/run-events-core";
import type { Attempt } from "./attempt.ts";
import type { EventBatches, RunNews } from "./follow-log.ts";
import {
  createFrameReader,
  type ErrorFrame,
  type Frame,
  type FrameReader,
} from "./frame-reader.ts";
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
): EventBatches<boolean> {
  const { log, server, signal, expect, giveUp, onSeen } = attempt;
  const connecting = setTimeout(() => {
    expect("held_back");
    giveUp();
  }, CONNECTED_MS);
  const vigil = keepVigil(silenceMs, giveUp);
  onSeen(vigil.look);
  let reader: FrameReader | undefined;
  function hear(news: RunNews): void {
    log.hear(news);
    log.update({ state: "live" });
  }
  log.update({ state: "connecting" });
  try {
    const path = `${log.path}/stream?since=${log.cursor()}`;
    const answer = await server.ask({ path, signal });
    expect("barren");
    if (answer.body === null) throw unheard();
    reader = createFrameReader(answer.body, vigil.onReading, onRetry, signal);
    for (let frames = await reader.read(); frames !== null; frames = await reader.read()) {
      clearTimeout(connecting);
      expect("cut");
      const [first] = frames;
      if (first?.type === "connected") hear(first);
      const arrived = frames.flatMap((frame) => (frame.type === "run_event" ? frame.event : []));
      const last = Math.max(...frames.map(lastOf));
      while (log.cursor() < last) yield await log.next(arrived);
      // What frames say of the run counts behind the events that came with them.
      for (const frame of frames) {
        if (frame.type === "error") throw errorOf(frame);
        if (frame.type === "status") hear(frame);
        if (frame.type === "run_finished") {
          log.hear(frame);
          return true;
        }
      }
    }
    throw unheard();
  } finally {
    clearTimeout(connecting);
    vigil.end();
    reader?.cancel();
    onSeen(() => {});
  }
}

/** How far one has to be to go on behind a frame. */
function lastOf(frame: Frame): number {
  if (frame.type === "run_event") return frame.event.sequence;
  return frame.type === "run_finished" ? frame.lastSequence : 0;
}

function errorOf({ code, message, retryable, ...details }: ErrorFrame): RunEventsError {
  // What is worth a retry has codes that only streams have. @see W22
  return new RunEventsError(retryable ? "store_unavailable" : code, message, {
    retryable,
    details,
  });
}
