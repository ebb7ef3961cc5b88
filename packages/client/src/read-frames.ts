import type {
  RunEvent,
  RunEventsErrorCode,
  RunEventsErrorDetails,
  RunStatus,
} from "@tm/run-events-core";
import { createParser } from "eventsource-parser";
import { unheard, reaching } from "./server.ts";

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
  | ({
      readonly type: "error";
      readonly code: RunEventsErrorCode;
      readonly message: string;
      readonly retryable: boolean;
    } & RunEventsErrorDetails);

/**
 * The frames of a stream, a chunk at a time: nothing is read before what was read has been taken. Types that this version
 * does not know are among them.
 * @param onReading told when the stream is asked for its next bytes, and when it has given them
 * @param onRetry told what `retry:` said, in milliseconds
 * @throws RunEventsError `store_unavailable` if the body breaks off, or for a frame that is none; the signal's reason
 */
export async function* readFrames(
  body: ReadableStream<Uint8Array>,
  onReading: (isReading: boolean) => void,
  onRetry: (retryMs: number) => void,
  signal: AbortSignal,
): AsyncGenerator<Frame, void, undefined> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const texts: string[] = [];
  const parser = createParser({ onEvent: ({ data }) => texts.push(data), onRetry });
  try {
    for (;;) {
      onReading(true);
      const { done, value } = await reaching(reader.read(), signal);
      onReading(false);
      if (done) return;
      parser.feed(decoder.decode(value, { stream: true }));
      yield* texts.splice(0).map(parseFrame);
    }
  } finally {
    // Whoever leaves wants to hear nothing of the rest.
    reader.cancel().catch(() => {});
  }
}

function parseFrame(text: string): Frame {
  try {
    return JSON.parse(text) as Frame;
  } catch (cause) {
    throw unheard(cause);
  }
}
