import { type RunEvent, RunEventsError } from "@tm/run-events-core";
import type { FollowedFeed } from "../feed/followed-feed.ts";
import { unanswered } from "../http/server-errors.ts";
import type { FollowedRun } from "./followed-run.ts";
import { parseRunsFrame, type RunsFrame } from "./runs-frame.ts";
import { readFrames, type StreamAttempt } from "./stream-frames.ts";
import { errorIn, throwIfFailed } from "./stream-run.ts";

/** What one attempt to read many runs, and a feed, does besides. */
export interface RunsAttempt extends StreamAttempt {
  /** The runs that were asked for, by their ids. */
  readonly runs: ReadonlyMap<string, FollowedRun>;
  /** A run of them is over, or cannot be read for now: then with the error. */
  readonly onLeft: (run: FollowedRun, error: RunEventsError | null) => void;
  readonly onEvents: () => void;
  /** The feed that was asked for. */
  readonly feed: FollowedFeed | null;
  /** The feed cannot be read, at least for now. */
  readonly onFeedLeft: (error: RunEventsError) => void;
}

/**
 * Reads one stream of many runs, of a feed, or of both, until each of them has had its last frame. A stream that ends earlier is lost.
 * @throws RunEventsError if the stream is lost, or the server refuses it
 * @throws the signal's reason
 * @see clauses W47 and W48 in `WIRE.md`
 */
export async function streamRuns(attempt: RunsAttempt): Promise<void> {
  const reading = readFrames(attempt, parseRunsFrame);
  const { frames } = reading;
  try {
    for (;;) {
      await reading.arrive();
      if (takeFrames(frames.splice(0), attempt)) return;
    }
  } finally {
    reading.end();
  }
}

/**
 * Hands over what has arrived. The events of a run that come together are handed over together.
 * @returns whether the stream has ended as it should
 */
function takeFrames(frames: readonly RunsFrame[], attempt: RunsAttempt): boolean {
  const gathered = new Map<FollowedRun, RunEvent[]>();
  const handOver = (run: FollowedRun): void => {
    const events = gathered.get(run) ?? [];
    gathered.delete(run);
    if (events.length === 0) return;
    attempt.onEvents();
    if (run.take(events)) return;
    attempt.expect("held_back");
    throw unanswered(`Expected event ${run.cursor + 1} next, but the server left it out.`);
  };
  let isEnd = false;
  for (const one of frames) {
    if (one.type === "failure") {
      for (const run of gathered.keys()) handOver(run);
      attempt.feed?.flush();
      throwIfFailed(one.frame, attempt.expect);
    } else if (one.type === "whole") isEnd ||= one.isEnd;
    else if (one.type !== "run") takeFeedFrame(one, attempt);
    else {
      const run = attempt.runs.get(one.runId);
      if (run === undefined) continue;
      if (one.frame.type === "run_event") {
        const events = gathered.get(run) ?? [];
        events.push(one.frame.event);
        gathered.set(run, events);
      } else {
        // The status of a frame holds only after the events before it.
        handOver(run);
        takeFrame(run, one, attempt);
      }
    }
  }
  for (const run of gathered.keys()) handOver(run);
  attempt.feed?.flush();
  return isEnd;
}

/** Takes a frame of the feed. */
function takeFeedFrame(
  one: RunsFrame & { readonly type: "feed" | "feed_failure" },
  { feed, onFeedLeft }: RunsAttempt,
): void {
  if (one.type === "feed") return feed?.takeFrame(one.frame);
  feed?.flush();
  onFeedLeft(errorIn(one.frame));
}

/** Takes a frame about the state of a run. */
function takeFrame(
  run: FollowedRun,
  { frame, since }: RunsFrame & { readonly type: "run" },
  { onLeft, expect }: RunsAttempt,
): void {
  if (frame.type === "error") {
    const error = errorIn(frame);
    if (!error.retryable) run.fail(error);
    onLeft(run, error.retryable ? error : null);
    return;
  }
  throwIfFailed(frame, expect);
  if (!("runStatus" in frame)) return;
  const { type, runStatus, currentPhase, lastSequence } = frame;
  if (type === "connected" && run.start().tail !== undefined) run.update({ cursor: since });
  if (type === "run_finished" && lastSequence > run.cursor)
    throw unanswered(`Expected event ${run.cursor + 1} next, but the server left it out.`);
  run.update({
    state: type === "run_finished" ? "finished" : "live",
    runStatus,
    currentPhase,
    error: null,
  });
  if (type === "run_finished") onLeft(run, null);
}
