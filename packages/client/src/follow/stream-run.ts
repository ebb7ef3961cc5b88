import { type RunEvent, RunEventsError } from "@tm/run-events-core";
import type { Attempt, Reading } from "./attempt.ts";
import { type Frame, parseFrame } from "./frame.ts";
import { createStreamParser } from "./parse-stream.ts";
import { MOST_ANSWER_BYTES } from "../http/read-text.ts";
import { brokenOff, awaitAnswer } from "../http/server.ts";
import { unanswered } from "../http/server-errors.ts";

/** How long the first frame may take, in milliseconds. */
const CONNECTED_MS = 5_000;

/**
 * Reads one live stream to the end of the run. A stream that ends earlier is lost. The loss is final only if the server's `error` frame
 * is not retryable. Nothing is read ahead.
 * @param silenceMs how long the stream may be silent, in milliseconds
 * @param onRetry called with the value of each `retry:` field, in milliseconds
 * @see clauses W19 to W26 in `WIRE.md`
 */
export function streamRun(
  attempt: Attempt,
  silenceMs: number,
  onRetry: (retryMs: number) => void,
): Reading {
  const { signal, update, ready, openStream, expect, giveUp, onActivity, onSeen } = attempt;
  const connecting = setTimeout(() => {
    expect("held_back");
    giveUp(`The stream brought nothing within ${CONNECTED_MS / 1_000} s.`);
  }, CONNECTED_MS);
  let watching: ReturnType<typeof setTimeout> | undefined;
  /** When the wait for bytes began; -1 while this does not wait, because a slow loop is not a silent server. */
  let waitingSince = -1;
  const decoder = new TextDecoder();
  /** Frames that have arrived and are not handled yet. */
  const frames: Frame[] = [];
  const feed = createStreamParser(
    (data) => frames.push(parseFrame(data)),
    onRetry,
    MOST_ANSWER_BYTES,
  );
  let body: ReadableStreamDefaultReader<Uint8Array> | undefined;

  /**
   * Gives up the stream if nothing has come for too long. A hidden page does so too, even if its timers are late, because visible
   * tabs depend on its connection.
   */
  function checkSilence(): void {
    clearTimeout(watching);
    const silentMs = waitingSince < 0 ? 0 : performance.now() - waitingSince;
    if (silentMs < silenceMs) watching = setTimeout(checkSilence, silenceMs - silentMs);
    else giveUp(`The stream was silent for ${Math.round(silentMs / 1_000)} s.`);
  }

  checkSilence();
  onSeen(checkSilence);
  update({ state: "connecting" });

  return {
    async next() {
      for (;;) {
        const events = takeFrames(frames, attempt);
        if (events === true || events.length > 0) return events;
        if (frames.length > 0) return ready([]);
        if (body === undefined) {
          const answer = await openStream(() => expect("empty"));
          body = answer.body?.getReader();
        }
        waitingSince = performance.now();
        const readBytes = async (): Promise<Uint8Array | undefined> => {
          const bytes = (await body?.read())?.value;
          try {
            feed(decoder.decode(bytes, { stream: true }));
          } catch (error) {
            // A message without an end. Polls may get through.
            expect("held_back");
            throw error;
          }
          return bytes;
        };
        const bytes = await awaitAnswer(readBytes(), signal, brokenOff);
        waitingSince = -1;
        onActivity();
        if (bytes === undefined) throw unanswered("The stream ended before the run did.");
        if (frames.length === 0) continue;
        clearTimeout(connecting);
        expect("cut");
      }
    },
    end() {
      clearTimeout(connecting);
      clearTimeout(watching);
      onSeen(() => {});
      // A failure to cancel does not matter to a caller that leaves.
      body?.cancel().catch(() => {});
    },
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
      if (frame.type === "malformed") {
        // Something on the way changes the stream. Polls may get through.
        expect("held_back");
        throw unanswered(
          "Expected frames of a run-events server, got something else in its stream: does a proxy change it?",
        );
      }
      if (frame.type === "error") {
        const { code, message, retryable, ...details } = frame;
        // The server has as many streams as it can. A poll does not take a stream's place.
        if ((code as string) === "overloaded") expect("full");
        // A retryable frame has a code that only streams use. @see clauses W22 and W28 in `WIRE.md` of `@tm/run-events-http`
        throw new RunEventsError(retryable ? "store_unavailable" : code, message, {
          retryable,
          details,
        });
      }
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
