import {
  isTerminal,
  type RunEvent,
  type RunEventsError,
  type RunEventsErrorCode,
  type RunSnapshot,
  type RunStatus,
} from "@tm/run-events-core";
import { FEED_RUN } from "../http/feed-calls.ts";
import { fits, isCount, isCountIfAny, isFlag, isText, type Shape } from "../http/fits.ts";
import { EVENT, RUN } from "../http/run-calls.ts";

type Details = RunEventsError["details"];

/** The fields of a frame about the whole run. @see clause W22 in `WIRE.md` */
type RunUpdate = Pick<RunSnapshot, "runStatus" | "currentPhase" | "lastSequence">;

/** A frame about a run. On a stream of many runs it names the run. @see clauses W22 and W47 in `WIRE.md` of `@tm/run-events-http` */
export type RunFrame = { readonly runId?: string } & (
  | ({
      readonly type: "connected" | "status" | "run_finished";
      readonly since?: number;
    } & RunUpdate)
  | { readonly type: "run_event"; readonly event: RunEvent }
);

/** A frame about the owner's list. @see clause W48 in `WIRE.md` of `@tm/run-events-http` */
export type FeedFrame =
  | { readonly type: "feed_started"; readonly same: boolean }
  | { readonly type: "run"; readonly run: RunSnapshot; readonly last?: RunEvent | undefined }
  | { readonly type: "run_gone"; readonly runId: string }
  | { readonly type: "feed_version"; readonly version: string; readonly more: boolean };

/** Why a stream ends before its run; with `runId` or `feed`, why it sends no more of these. */
export interface ErrorFrame extends Details {
  readonly type: "error";
  readonly code: RunEventsErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  readonly feed?: boolean;
}

/** A frame's message. A later server may also send types that this version does not know: `unknown`. */
export type Frame =
  | RunFrame
  | FeedFrame
  | ErrorFrame
  | { readonly type: "stream_finished" }
  | { readonly type: "malformed" }
  | { readonly type: "unknown" };

/** A frame of a type that this version does not know. */
const ANY: Shape = { type: isText };

const isEnd = (status: unknown): boolean => isTerminal(status as RunStatus);
const isTextUnlessMissing = (value: unknown): boolean => value === undefined || isText(value);
const ABOUT_RUN: Shape = { runId: isTextUnlessMissing };
/** Only `run_finished` has a terminal status. @see clause W23 in `WIRE.md` of `@tm/run-events-http` */
const LIVE: Shape = {
  ...ABOUT_RUN,
  ...RUN,
  runStatus: (status) => isText(status) && !isEnd(status),
};

/** The members that a frame of each type has. */
const SHAPES: ReadonlyMap<unknown, Shape> = new Map<unknown, Shape>([
  ["connected", { ...LIVE, since: (since) => since === undefined || isCount(since) }],
  ["status", LIVE],
  ["run_finished", { ...ABOUT_RUN, ...RUN, runStatus: isEnd }],
  ["run_event", { ...ABOUT_RUN, event: (event) => fits(event, EVENT) }],
  [
    "error",
    { ...ABOUT_RUN, code: isText, message: isText, retryable: isFlag, lastSequence: isCountIfAny },
  ],
  ["feed_started", { same: isFlag }],
  [
    "run",
    {
      run: (run) => fits(run, FEED_RUN),
      last: (event) => event === undefined || fits(event, EVENT),
    },
  ],
  ["run_gone", { runId: isText }],
  ["feed_version", { version: isText, more: isFlag }],
  ["stream_finished", ANY],
]);

/**
 * Parses a frame. A frame of a type that this version does not know may have any members.
 * @returns a frame of type `unknown` for such a frame, and one of type `malformed` for text that no run-events server sends
 * @see clauses W22, W47 and W48 in `WIRE.md` of `@tm/run-events-http`
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
