import { awaitAnswer, brokenOff } from "../http/server.ts";
import { unanswered } from "../http/server-errors.ts";
import type { Loss } from "./course.ts";
import { type Frame, parseFrame } from "./frame.ts";
import { createStreamParser } from "./parse-stream.ts";

/** The time that the first frame may take, in milliseconds. */
const CONNECTED_MS = 5_000;

/** A stream is given up when nothing has come for this many heartbeats. */
const SILENT_HEARTBEATS = 2.5;

/** The dependencies of a stream. */
export interface StreamAttempt {
  /** Aborts when the attempt ends. */
  readonly signal: AbortSignal;
  /**
   * The server's heartbeat, in milliseconds.
   * @defaultValue 15,000
   */
  readonly heartbeatMs: number | undefined;
  /**
   * Opens the stream.
   * @param onHead called when the head of an answer has arrived
   */
  readonly openStream: (onHead: () => void) => Promise<Response>;
  /** Sets which kind of loss it is if the attempt is lost from now on. */
  readonly expect: (loss: Loss) => void;
  /** Ends the attempt for this reason. Another one follows. */
  readonly giveUp: (why: string) => void;
  /** Called with the value of each `retry:` field, in milliseconds. */
  readonly onRetry: (retryMs: number) => void;
  /** Sets the one listener that is called when the page becomes visible again. */
  readonly onSeen: (listener: () => void) => void;
}

/**
 * Reads the frames of a live stream, those together that came together, and gives it up if it stays silent. Nothing is read ahead.
 * @throws RunEventsError if the stream is lost
 * @throws the signal's reason
 */
export async function* readFrames(attempt: StreamAttempt): AsyncGenerator<Frame[], never> {
  const { signal, heartbeatMs = 15_000, openStream, expect, giveUp, onRetry, onSeen } = attempt;
  const silenceMs = heartbeatMs * SILENT_HEARTBEATS;
  const connecting = setTimeout(() => {
    expect("held_back");
    giveUp(`The stream brought nothing within ${CONNECTED_MS / 1_000} s.`);
  }, CONNECTED_MS);
  let watching: ReturnType<typeof setTimeout> | undefined;
  /** When the wait for bytes began; -1 while this does not wait, because a slow loop is not a silent server. */
  let waitingSince = -1;
  const decoder = new TextDecoder();
  const frames: Frame[] = [];
  const feed = createStreamParser((data) => frames.push(parseFrame(data)), onRetry);
  let body: ReadableStreamDefaultReader<Uint8Array> | undefined;

  /** Gives up the stream if nothing has come for too long. In a hidden page, the timer is late. */
  function checkSilence(): void {
    clearTimeout(watching);
    const silentMs = waitingSince < 0 ? 0 : performance.now() - waitingSince;
    if (silentMs < silenceMs) watching = setTimeout(checkSilence, silenceMs - silentMs);
    else giveUp(`The stream was silent for ${Math.round(silentMs / 1_000)} s.`);
  }

  async function readBytes(): Promise<boolean> {
    const bytes = (await body?.read())?.value;
    feed(decoder.decode(bytes, { stream: true }));
    return bytes === undefined;
  }

  checkSilence();
  onSeen(checkSilence);
  try {
    body = (await openStream(() => expect("held_back"))).body?.getReader();
    for (;;) {
      waitingSince = performance.now();
      const isEnd = await awaitAnswer(readBytes(), signal, brokenOff);
      waitingSince = -1;
      if (isEnd) throw unanswered("The stream ended before the run did.");
      if (frames.length === 0) continue;
      clearTimeout(connecting);
      expect("cut");
      yield frames.splice(0);
    }
  } finally {
    clearTimeout(connecting);
    clearTimeout(watching);
    onSeen(() => {});
    // A failure to cancel does not matter to a reader that leaves.
    body?.cancel().catch(() => {});
  }
}
