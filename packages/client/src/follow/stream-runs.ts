import { type RunEvent, RunEventsError } from "@tm/run-events-core";
import type { FollowedFeed } from "../feed/followed-feed.ts";
import { unanswered } from "../http/server-errors.ts";
import type { FollowedRun } from "./followed-run.ts";
import type { ErrorFrame, FeedFrame, Frame, RunFrame } from "./frame.ts";
import type { Part } from "./plan-attempt.ts";
import { readFrames, type StreamAttempt } from "./stream-frames.ts";

/** The callbacks of one attempt to read a run, many runs, or a feed. */
export interface RunsAttempt extends StreamAttempt {
  /** The run of a stream of one run, whose frames need not name it. */
  readonly only: FollowedRun | null;
  /** The runs that were asked for, by their ids. */
  readonly runs: ReadonlyMap<string, FollowedRun>;
  /** The feed that was asked for. */
  readonly feed: FollowedFeed | null;
  /** Called when a run, or the feed, is over, or cannot be read for now: then with the error. */
  readonly onLeft: (part: Part, error: RunEventsError | null) => void;
  readonly onEvents: () => void;
}

/**
 * Reads one stream until each run, and the feed, has had its last frame. A stream that ends earlier is lost.
 * @throws RunEventsError if the stream is lost, or the server refuses it
 * @throws the signal's reason
 * @see clauses W19 to W26, W47 and W48 in `WIRE.md`
 */
export async function streamRuns(attempt: RunsAttempt): Promise<void> {
  const reading = new Reading(attempt);
  for await (const frames of readFrames(attempt)) {
    for (const frame of frames) await reading.take(frame);
    await reading.handOver();
    attempt.signal.throwIfAborted();
    if (reading.isEnd) return;
  }
}

/** The frames of one stream. A run's events in a row that came together are handed over together, and so are the changes of the feed. */
class Reading {
  /** Whether the stream has ended as it should. */
  isEnd = false;
  readonly #attempt: RunsAttempt;
  #run: FollowedRun | undefined;
  #events: RunEvent[] = [];
  #changes: FeedFrame[] = [];

  constructor(attempt: RunsAttempt) {
    this.#attempt = attempt;
  }

  async take(frame: Frame): Promise<void> {
    if (isOfFeed(frame)) return void this.#changes.push(frame);
    if (frame.type === "run_event") {
      const run = this.#runOf(frame);
      if (run !== this.#run) await this.handOver();
      this.#run = run;
      if (run !== undefined) this.#events.push(frame.event);
      return;
    }
    // The state in a frame holds only after the events before it.
    await this.handOver();
    if (frame.type === "stream_finished") this.isEnd = true;
    else if (frame.type === "malformed") throw this.#broken();
    else if (frame.type === "error") this.#takeError(frame);
    else if (frame.type !== "unknown") this.#takeStatus(frame);
  }

  /** Hands over what has come so far. */
  async handOver(): Promise<void> {
    const { feed, onEvents } = this.#attempt;
    const [run, events, changes] = [this.#run, this.#events, this.#changes];
    [this.#run, this.#events, this.#changes] = [undefined, [], []];
    feed?.take(changes);
    if (run === undefined) return;
    const before = run.cursor;
    const isWhole = await run.take(events);
    if (run.cursor > before) onEvents();
    if (!isWhole) throw this.#missing(run);
  }

  /** The run of a frame, if it is followed. */
  #runOf({ runId = "" }: RunFrame): FollowedRun | undefined {
    const { only, runs } = this.#attempt;
    return only ?? runs.get(runId);
  }

  /** Something on the way leaves events out. Polls may get through. */
  #missing(run: FollowedRun): Error {
    this.#attempt.expect("held_back");
    return run.missing();
  }

  /** Something on the way changes the stream. Polls may get through. */
  #broken(): RunEventsError {
    this.#attempt.expect("held_back");
    return unanswered(
      "Expected frames of a run-events server, got something else: check whether a proxy changes them.",
    );
  }

  /** Takes the end of the stream, of a run, or of the feed. */
  #takeError(frame: ErrorFrame): void {
    const { only, runs, feed, expect, onLeft } = this.#attempt;
    const { type: _, code, message, retryable, ...details } = frame;
    // A retryable one has a code that only streams use. See W22 and W28 in `WIRE.md`.
    const own = retryable ? "store_unavailable" : code;
    const error = new RunEventsError(own, message, { retryable, details });
    if (only === null && (frame.feed === true || frame.runId !== undefined)) {
      const part = frame.feed === true ? feed : runs.get(frame.runId ?? "");
      if (part === null || part === undefined) return;
      if (!retryable) part.fail(error);
      return onLeft(part, retryable ? error : null);
    }
    // The server has as many streams as it can. A poll does not take a stream's place.
    if ((code as string) === "overloaded") expect("full");
    throw error;
  }

  #takeStatus(frame: Exclude<RunFrame, { type: "run_event" }>): void {
    const run = this.#runOf(frame);
    if (run === undefined) return;
    const { type, since, runStatus, currentPhase, lastSequence } = frame;
    const isEnd = type === "run_finished";
    if (type === "connected") run.begin(since);
    if (isEnd && lastSequence > run.cursor) throw this.#missing(run);
    run.update({ state: isEnd ? "finished" : "live", runStatus, currentPhase, error: null });
    if (isEnd) this.#attempt.onLeft(run, null);
  }
}

function isOfFeed(frame: Frame): frame is FeedFrame {
  return ["feed_started", "run", "run_gone", "feed_version"].includes(frame.type);
}
