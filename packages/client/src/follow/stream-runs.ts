import { type RunEvent, RunEventsError } from "@tm/run-events-core";
import type { FollowedFeed } from "../feed/followed-feed.ts";
import { unanswered } from "../http/server-errors.ts";
import type { FollowedRun } from "./followed-run.ts";
import type { ErrorFrame, FeedFrame, Frame, RunFrame } from "./frame.ts";
import { readFrames, type StreamAttempt } from "./stream-frames.ts";

/** The callbacks of one attempt to read a run, many runs, or a feed. */
export interface RunsAttempt extends StreamAttempt {
  /** The run of a stream of one run, whose frames need not name it. */
  readonly only: FollowedRun | null;
  /** The runs that were asked for, by their ids. */
  readonly runs: ReadonlyMap<string, FollowedRun>;
  /** The feed that was asked for. */
  readonly feed: FollowedFeed | null;
  /** One of them is over, or cannot be read for now: then with the error. */
  readonly onLeft: (part: FollowedRun | FollowedFeed, error: RunEventsError | null) => void;
  readonly onEvents: () => void;
}

/**
 * Reads one stream until each run, and the feed, has had its last frame. A stream that ends earlier is lost.
 * @throws RunEventsError if the stream is lost, or the server refuses it
 * @throws the signal's reason
 * @see clauses W19 to W26, W47 and W48 in `WIRE.md`
 */
export async function streamRuns(attempt: RunsAttempt): Promise<void> {
  for await (const frames of readFrames(attempt)) {
    const isEnd = await new Batch(attempt).take(frames);
    attempt.signal.throwIfAborted();
    if (isEnd) return;
  }
}

/** The frames that came together. The events of a run that come together are handed over together, and so are the changes of the feed. */
class Batch {
  readonly #attempt: RunsAttempt;
  readonly #events = new Map<FollowedRun, RunEvent[]>();
  #changes: FeedFrame[] = [];

  constructor(attempt: RunsAttempt) {
    this.#attempt = attempt;
  }

  /** @returns whether the stream has ended as it should */
  async take(frames: readonly Frame[]): Promise<boolean> {
    let isEnd = false;
    for (const frame of frames) {
      if (frame.type === "stream_finished") isEnd = true;
      else if (frame.type === "malformed") throw await this.#broken();
      else if (frame.type === "error") await this.#takeError(frame);
      else if ("event" in frame || "runStatus" in frame) await this.#takeRunFrame(frame);
      else if (frame.type !== "unknown") this.#changes.push(frame);
    }
    await this.#flush();
    return isEnd;
  }

  async #flush(): Promise<void> {
    for (const run of this.#events.keys()) await this.#handOver(run);
    this.#handOverChanges();
  }

  #handOverChanges(): void {
    const changes = this.#changes;
    this.#changes = [];
    this.#attempt.feed?.take(changes);
  }

  async #handOver(run: FollowedRun): Promise<void> {
    const events = this.#events.get(run);
    if (events === undefined) return;
    this.#events.delete(run);
    const before = run.cursor;
    const isWhole = await run.take(events);
    if (run.cursor > before) this.#attempt.onEvents();
    if (!isWhole) throw this.#missing(run);
  }

  /** Something on the way leaves events out. Polls may get through. */
  #missing(run: FollowedRun): Error {
    this.#attempt.expect("held_back");
    return run.missing();
  }

  /** Something on the way changes the stream. Polls may get through. */
  async #broken(): Promise<RunEventsError> {
    await this.#flush();
    this.#attempt.expect("held_back");
    return unanswered(
      "Expected frames of a run-events server, got something else: check whether a proxy changes them.",
    );
  }

  /** Takes the end of the stream, of a run, or of the feed. */
  async #takeError(frame: ErrorFrame): Promise<void> {
    const { only, runs, feed, expect, onLeft } = this.#attempt;
    const { code, message, retryable } = frame;
    const { type: _type, code: _code, message: _message, retryable: _, ...details } = frame;
    // A retryable one has a code that only streams use. See W22 and W28 in `WIRE.md`.
    const error = new RunEventsError(retryable ? "store_unavailable" : code, message, {
      retryable,
      details,
    });
    const run = frame.runId === undefined ? undefined : runs.get(frame.runId);
    const part = frame.feed === true ? feed : run;
    if (only === null && (frame.feed === true || frame.runId !== undefined)) {
      if (part === null || part === undefined) return;
      if (run === undefined) this.#handOverChanges();
      else await this.#handOver(run);
      if (!retryable) part.fail(error);
      return onLeft(part, retryable ? error : null);
    }
    await this.#flush();
    // The server has as many streams as it can. A poll does not take a stream's place.
    if ((code as string) === "overloaded") expect("full");
    throw error;
  }

  async #takeRunFrame(frame: RunFrame): Promise<void> {
    const { only, runs, onLeft } = this.#attempt;
    if (only === null && frame.runId === undefined) throw await this.#broken();
    const run = only ?? runs.get(frame.runId ?? "");
    if (run === undefined) return;
    if (frame.type === "run_event") {
      const events = this.#events.get(run);
      if (events === undefined) this.#events.set(run, [frame.event]);
      else events.push(frame.event);
      return;
    }
    // The status of a frame holds only after the events before it.
    await this.#handOver(run);
    const { type, since, runStatus, currentPhase, lastSequence } = frame;
    const isEnd = type === "run_finished";
    if (type === "connected") run.begin(since);
    if (isEnd && lastSequence > run.cursor) throw this.#missing(run);
    run.update({ state: isEnd ? "finished" : "live", runStatus, currentPhase, error: null });
    if (isEnd) onLeft(run, null);
  }
}
