import type { RunEvent, RunSnapshot } from "@tm/run-events-core";
import { FEED_RUN, isFlag } from "../http/feed-calls.ts";
import { fits, isText, type Shape } from "../http/fits.ts";
import { EVENT } from "../http/run-calls.ts";

/** A frame of a feed, without its errors. @see clause W48 in `WIRE.md` of `@tm/run-events-http` */
export type FeedFrame =
  | { readonly type: "feed_started"; readonly same: boolean }
  | { readonly type: "run"; readonly run: RunSnapshot; readonly last?: RunEvent }
  | { readonly type: "run_gone"; readonly runId: string }
  | { readonly type: "feed_version"; readonly version: string; readonly more: boolean };

/** The members that a frame of each type has. */
const SHAPES: ReadonlyMap<unknown, Shape> = new Map<unknown, Shape>([
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
]);

/**
 * Reads a frame as one of a feed.
 * @returns `null` for a frame of another type, and `undefined` for one that no server sends
 */
export function readFeedFrame(frame: unknown): FeedFrame | null | undefined {
  const { type } = Object(frame) as { readonly type?: unknown };
  const shape = SHAPES.get(type);
  if (shape === undefined) return null;
  return fits(frame, shape) ? (frame as FeedFrame) : undefined;
}
