import { RunEventsError, type RunEvent, type RunStatus } from "@tm/run-events-core";
import { createParser } from "eventsource-parser";
import { reaching } from "./server.ts";

/** What a frame says of the run. @see W22 */
interface RunNews {
  readonly runStatus: RunStatus;
  readonly currentPhase: string | null;
  readonly lastSequence: number;
}

/** A frame's message. @see W22 */
export type Frame =
  | ({ readonly type: "connected" | "status" | "run_finished" } & RunNews)
  | { readonly type: "run_event"; readonly event: RunEvent }
  | {
      readonly type: "error";
      readonly code: string;
      readonly message: string;
      readonly retryable: boolean;
    };

/** What is told of a stream besides its frames. */
export interface StreamWitness {
  /** The stream is asked for its next bytes, or has given them. */
  onReading(isReading: boolean): void;
  /** What `retry:` said, in milliseconds. */
  onRetry(retryMs: number): void;
}

/**
 * The frames of a stream's body, a chunk at a time: nothing is read before what was read has been taken. Types that this
 * version does not know are left out.
 * @throws RunEventsError `store_unavailable` if the body breaks off; `internal` for a frame that is none; the signal's reason
 */
export async function* readFrames(
  body: ReadableStream<Uint8Array>,
  witness: StreamWitness,
  signal: AbortSignal,
): AsyncGenerator<Frame, void, undefined> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let frames: Frame[] = [];
  const parser = createParser({
    onEvent: ({ data }) => frames.push(parseFrame(data)),
    onRetry: (retryMs) => witness.onRetry(retryMs),
  });
  try {
    for (;;) {
      witness.onReading(true);
      const { done, value } = await reaching(reader.read(), signal);
      witness.onReading(false);
      if (done) return;
      parser.feed(decoder.decode(value, { stream: true }));
      const taken = frames;
      frames = [];
      yield* taken;
    }
  } finally {
    // Whoever leaves wants to hear nothing of the rest.
    reader.cancel().catch(() => {});
  }
}

function parseFrame(data: string): Frame {
  try {
    return JSON.parse(data) as Frame;
  } catch (cause) {
    throw new RunEventsError("internal", "The stream is not that of a run-events server.", {
      cause,
      retryable: true,
    });
  }
}
