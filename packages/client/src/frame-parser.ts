import type {
  RunEvent,
  RunEventsErrorCode,
  RunEventsErrorDetails,
  RunStatus,
} from "@tm/run-events-core";
import { createParser } from "eventsource-parser";

/** What a frame says of the run. @see W22 */
interface RunNews {
  readonly runStatus: RunStatus;
  readonly currentPhase: string | null;
  readonly lastSequence: number;
}

/** A frame's message. Types that this version does not know are among them. @see W22 */
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

/**
 * Parses a stream's bytes.
 * @param onRetry told what `retry:` said, in milliseconds
 * @returns gives the frames that a chunk ends, maybe none; throws a SyntaxError for a frame that is no JSON
 */
export function createFrameParser(
  onRetry: (retryMs: number) => void,
): (chunk: Uint8Array) => Frame[] {
  const decoder = new TextDecoder();
  const frames: Frame[] = [];
  const parser = createParser({
    onEvent: ({ data }) => frames.push(JSON.parse(data) as Frame),
    onRetry,
  });
  return (chunk) => {
    parser.feed(decoder.decode(chunk, { stream: true }));
    return frames.splice(0);
  };
}
