import type {
  RunEvent,
  RunEventsErrorCode,
  RunEventsErrorDetails,
  RunStatus,
} from "@tm/run-events-core";

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
