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
  | ({ readonly type: "error" } & ErrorFrame);

/** Why a stream ends before its run. */
export interface ErrorFrame extends RunEventsErrorDetails {
  readonly code: RunEventsErrorCode;
  readonly message: string;
  readonly retryable: boolean;
}

/** Reads the frames of a stream. */
export interface FrameReader {
  /**
   * The frames of the next chunk that ends one; `null` at the end. Nothing is read ahead. Types that this version does not know are
   * among them.
   * @throws RunEventsError `store_unavailable` if the body breaks off, or for a frame that is none; the signal's reason
   */
  read(): Promise<readonly Frame[] | null>;
  /** Ends it. */
  cancel(): void;
}

/**
 * @param onReading told when the stream is asked for its next bytes, and when it has given them
 * @param onRetry told what `retry:` said, in milliseconds
 */
export function createFrameReader(
  body: ReadableStream<Uint8Array>,
  onReading: (isReading: boolean) => void,
  onRetry: (retryMs: number) => void,
  signal: AbortSignal,
): FrameReader {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const texts: string[] = [];
  const parser = createParser({ onEvent: ({ data }) => texts.push(data), onRetry });
  return {
    async read() {
      while (texts.length === 0) {
        onReading(true);
        const { done, value } = await reaching(reader.read(), signal);
        onReading(false);
        if (done) return null;
        parser.feed(decoder.decode(value, { stream: true }));
      }
      return texts.splice(0).map(parseFrame);
    },
    // Whoever leaves wants to hear nothing of the rest.
    cancel: () => void reader.cancel().catch(() => {}),
  };
}

function parseFrame(text: string): Frame {
  try {
    return JSON.parse(text) as Frame;
  } catch (cause) {
    throw unheard(cause);
  }
}
