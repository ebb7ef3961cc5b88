import {
  isTerminal,
  type RunEvent,
  type RunEventsErrorCode,
  type RunEventsErrorDetails,
  type RunStatus,
} from "@tm/run-events-core";
import { fits, isCountIfAny, isText, type Shape } from "../http/fits.ts";
import { EVENT, RUN } from "../http/run-calls.ts";

/** What a frame holds about the whole run. @see clause W22 in `WIRE.md` */
interface RunUpdate {
  readonly runStatus: RunStatus;
  readonly currentPhase: string | null;
  readonly lastSequence: number;
}

/** A frame's message. A later server may also send types that this version does not know: `unknown`. @see clause W22 in `WIRE.md` of `@tm/run-events-http` */
export type Frame =
  | ({ readonly type: "connected" | "status" | "run_finished" } & RunUpdate)
  | { readonly type: "run_event"; readonly event: RunEvent }
  | ({ readonly type: "error" } & ErrorFrame)
  | { readonly type: "malformed" | "unknown" };

/** Why a stream ends before its run. */
interface ErrorFrame extends RunEventsErrorDetails {
  readonly code: RunEventsErrorCode;
  readonly message: string;
  readonly retryable: boolean;
}

/** A frame of a type that this version does not know. */
const ANY: Shape = { type: isText };

const isEnd = (status: unknown): boolean => isTerminal(status as RunStatus);
/** Only `run_finished` has a terminal status. @see clause W23 in `WIRE.md` of `@tm/run-events-http` */
const LIVE: Shape = { ...RUN, runStatus: (status) => isText(status) && !isEnd(status) };

/** The members that a frame of each type has. */
const SHAPES: ReadonlyMap<string, Shape> = new Map<string, Shape>([
  ["connected", LIVE],
  ["status", LIVE],
  ["run_finished", { ...RUN, runStatus: isEnd }],
  ["run_event", { event: (event) => fits(event, EVENT) }],
  [
    "error",
    {
      code: isText,
      message: isText,
      retryable: (value) => typeof value === "boolean",
      lastSequence: isCountIfAny,
    },
  ],
]);

/**
 * Parses a frame. A frame of a type that this version does not know may have any members.
 * @returns a frame of type `unknown` for such a frame, and one of type `malformed` for text that no run-events server sends
 * @see clause W22 in `WIRE.md` of `@tm/run-events-http`
 */
export function parseFrame(data: string): Frame {
  try {
    const frame = JSON.parse(data) as Frame;
    const shape = SHAPES.get(frame.type);
    if (fits(frame, shape ?? ANY)) return shape === undefined ? { type: "unknown" } : frame;
  } catch {
    // The text is not JSON, or is `null`.
  }
  return { type: "malformed" };
}
