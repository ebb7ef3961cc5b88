import { assert, assertEqual, show } from "../assert.ts";
import { checkFeedFrame, type FeedSoFar, isOfFeed } from "./check-feed-frame.ts";
import { checkFrame, NO_FRAMES, type StreamSoFar } from "./check-frame.ts";
import type { Frame } from "./read-frames.ts";

/** The frames of a stream of many runs so far. */
export interface RunsStreamSoFar {
  readonly frames: number;
  readonly isOver: boolean;
  /** Each run that was asked for. */
  readonly runs: ReadonlyMap<string, StreamSoFar>;
  /** `null` if none was asked for. */
  readonly feed: FeedSoFar | null;
}

/** Nothing yet of what this query asks for. */
export function noFramesOf(query: URLSearchParams): RunsStreamSoFar {
  const entries = query.get("runs")?.split(",") ?? [];
  const withLast = query.get("last") === "true";
  return {
    frames: 0,
    isOver: false,
    runs: new Map(entries.map((entry) => [entry.split(":", 1)[0] ?? "", NO_FRAMES])),
    feed: query.has("feed") ? { withLast, hasStarted: false, isOver: false } : null,
  };
}

/**
 * Judges a frame by its own fields and by what came before it.
 * @returns the stream with it
 * @throws Error that names the clause
 * @see clauses W47 and W48 in `WIRE.md`
 */
export function checkRunsFrame(soFar: RunsStreamSoFar, frame: Frame): RunsStreamSoFar {
  const { type, runId } = frame.message;
  const what = `the frame ${show(frame.data)}`;
  const frames = soFar.frames + 1;
  assert(!soFar.isOver, `W47: nothing comes after the last frame, got ${what}`);
  assertEqual(frame.id, null, `W47: the id of ${what}`);
  if (soFar.frames === 0 && type !== "error") {
    assertEqual(type, "stream_opened", `W47: the type of the first frame`);
    assertEqual(Object.keys(frame.message), ["type"], `W47: the fields of ${what}`);
    assertRetry(frame, 2_000, 5_000);
    return { ...soFar, frames };
  }
  if (type === "heartbeat") {
    assertEqual(Object.keys(frame.message), ["type"], `W47: the fields of ${what}`);
    assertEqual(frame.retryMs, null, `W47: the retry of ${what}`);
    return { ...soFar, frames };
  }
  if (type === "stream_finished") return { ...finish(soFar, frame, what), frames };
  if (isOfFeed(frame)) {
    if (soFar.feed === null) throw new Error(`W48: no feed was asked for, got ${what}`);
    return { ...soFar, frames, feed: checkFeedFrame(soFar.feed, frame) };
  }
  if (type === "error" && runId === undefined) {
    checkFrame(NO_FRAMES, frame);
    return { ...soFar, frames, isOver: true };
  }
  const known = soFar.runs.get(String(runId));
  if (known === undefined)
    throw new Error(`W47: each frame names a run that was asked for, got ${what}`);
  assertEqual(frame.retryMs, null, `W47: the retry of ${what}`);
  const next = checkFrame(known, alone(frame));
  return { ...soFar, frames, runs: new Map(soFar.runs).set(String(runId), next) };
}

function finish(soFar: RunsStreamSoFar, frame: Frame, what: string): RunsStreamSoFar {
  for (const [runId, { isOver }] of soFar.runs)
    assert(isOver, `W47: each run has its last frame before ${what}, got none of ${runId}`);
  assert(soFar.feed?.isOver !== false, `W48: a feed ends only by its error, got ${what}`);
  assertEqual(Object.keys(frame.message), ["type"], `W47: the fields of ${what}`);
  if (frame.retryMs !== 3_600_000) assertRetry(frame, 500, 15_000);
  return { ...soFar, isOver: true };
}

function assertRetry({ retryMs, data }: Frame, least: number, most: number): void {
  assert(
    retryMs !== null && retryMs >= least && retryMs <= most,
    `W47: the retry is ${least} to ${most}, got ${retryMs} with ${show(data)}`,
  );
}

/** The frame as a stream of this run alone would have it. */
function alone(frame: Frame): Frame {
  const { runId, ...rest } = frame.message;
  const { type, since, event, lastSequence, retryable } = rest;
  if (type === "connected")
    return { ...frame, message: { ...rest, runId }, id: String(since), retryMs: 2_000 };
  if (type === "run_event") {
    const { sequence } = Object(event) as { readonly sequence?: unknown };
    return { ...frame, message: rest, id: String(sequence) };
  }
  if (type === "run_finished")
    return { ...frame, message: rest, id: String(Number(lastSequence) + 1), retryMs: 3_600_000 };
  if (type === "error")
    return { ...frame, message: rest, retryMs: retryable === true ? 500 : 3_600_000 };
  return { ...frame, message: rest };
}
