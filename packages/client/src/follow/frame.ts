import type {
  RunEvent,
  RunEventsErrorCode,
  RunEventsErrorDetails,
  RunStatus,
} from "@tm/run-events-core";
import { fits, type ObjectShape } from "../http/fits.ts";
import { EVENT } from "../http/run-calls.ts";

/** What a frame holds about the whole run. @see clause W22 in `WIRE.md` */
interface RunUpdate {
  readonly runStatus: RunStatus;
  readonly currentPhase: string | null;
  readonly lastSequence: number;
}

/** A frame's message. A later server may also send types that this version does not know. @see clause W22 in `WIRE.md` */
export type Frame =
  | ({ readonly type: "connected" | "status" | "run_finished" } & RunUpdate)
  | { readonly type: "run_event"; readonly event: RunEvent }
  | ({ readonly type: "error" } & ErrorFrame)
  | { readonly type: "malformed" };

/** Why a stream ends before its run. */
export interface ErrorFrame extends RunEventsErrorDetails {
  readonly code: RunEventsErrorCode;
  readonly message: string;
  readonly retryable: boolean;
}

const ANY: ObjectShape = { type: "" };
const UPDATE = { runStatus: "", lastSequence: 0 } as const;

/** The members that a frame of each type has. */
const SHAPES: ReadonlyMap<string, ObjectShape> = new Map<string, ObjectShape>([
  ["connected", UPDATE],
  ["status", UPDATE],
  ["run_finished", UPDATE],
  ["run_event", { event: EVENT }],
  ["error", { code: "", message: "", retryable: true }],
]);

/**
 * Parses a frame. A frame of a type that this version does not know may have any shape.
 * @returns a frame of type `malformed` for text that no run-events server sends
 * @see clause W22 in `WIRE.md`
 */
export function parseFrame(data: string): Frame {
  try {
    const frame = JSON.parse(data) as Frame;
    if (fits(frame, SHAPES.get(frame.type) ?? ANY)) return frame;
  } catch {
    // The text is not JSON, or is `null`.
  }
  return { type: "malformed" };
}
