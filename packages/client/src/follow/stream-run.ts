import { type RunEvent, RunEventsError } from "@tm/run-events-core";
import type { Attempt, Reading } from "./attempt.ts";
import { type Frame, parseFrame } from "./frame.ts";
import { readFrames } from "./stream-frames.ts";
import { unanswered } from "../http/server-errors.ts";

/**
 * Reads one live stream to the end of the run. A stream that ends earlier is lost. The loss is final only if the server's `error` frame
 * is not retryable. Nothing is read ahead.
 * @see clauses W19 to W26 in `WIRE.md`
 */
export function streamRun(attempt: Attempt): Reading {
  const { frames, arrive, end } = readFrames(attempt, parseFrame);
  attempt.update({ state: "connecting" });
  return {
    async next() {
      for (;;) {
        const events = takeFrames(frames, attempt);
        if (events === true || events.length > 0) return events;
        if (frames.length > 0) return attempt.ready([]);
        await arrive();
      }
    },
    end,
  };
}

/**
 * Takes the frames that have arrived, up to the first one after a gap.
 * @returns the events after the cursor, without a gap; `true` at the end of the run
 * @throws RunEventsError the error with which the server ends the stream
 */
function takeFrames(
  frames: Frame[],
  { cursor, setStatus, update, expect }: Attempt,
): RunEvent[] | true {
  const events: RunEvent[] = [];
  let last = cursor();
  let taken = 0;
  for (const frame of frames) {
    if (frame.type === "run_event") {
      const { sequence } = frame.event;
      if (sequence > last + 1) break;
      if (sequence === last + 1) {
        events.push(frame.event);
        last = sequence;
      }
    } else {
      // The status of a frame holds only after the events before it.
      if (events.length > 0) break;
      throwIfFailed(frame, expect);
      if (frame.type === "run_finished" && frame.lastSequence > last) break;
      if ("runStatus" in frame) setStatus(frame);
      if (frame.type === "run_finished") return true;
      update({ state: "live" });
    }
    taken += 1;
  }
  frames.splice(0, taken);
  return events;
}

/**
 * Ends an attempt whose stream the server has ended with an error, or something on the way has changed.
 * @throws RunEventsError the reason
 */
export function throwIfFailed(
  frame: Frame,
  expect: Attempt["expect"],
): asserts frame is Exclude<Frame, { readonly type: "malformed" | "error" }> {
  if (frame.type === "malformed") {
    // Something on the way changes the stream. Polls may get through.
    expect("held_back");
    throw unanswered(
      "Expected frames of a run-events server, got something else: check whether a proxy changes them.",
    );
  }
  if (frame.type !== "error") return;
  // The server has as many streams as it can. A poll does not take a stream's place.
  if ((frame.code as string) === "overloaded") expect("full");
  throw errorIn(frame);
}

/** The error in a frame. A retryable one has a code that only streams use. @see clauses W22 and W28 in `WIRE.md` of `@tm/run-events-http` */
export function errorIn(frame: Frame & { readonly type: "error" }): RunEventsError {
  const { type: _, code, message, retryable, ...details } = frame;
  return new RunEventsError(retryable ? "store_unavailable" : code, message, {
    retryable,
    details,
  });
}
