import { RunEventsError } from "@tm/run-events-core";
import { checkRunId, invalidCursor } from "@tm/run-events-core/wire";
import { type FeedListener, type FeedStart, FollowedFeed } from "../feed/followed-feed.ts";
import { pollFeed } from "../feed/poll-feed.ts";
import { runsStreamCall } from "../http/feed-calls.ts";
import { type LinkedAbort, linkAbort } from "../http/link-abort.ts";
import { FOR_EVER_MS, pause } from "../http/pause.ts";
import { planDelay } from "../http/plan-delay.ts";
import { createServer, type Server } from "../http/server.ts";
import { unanswered } from "../http/server-errors.ts";
import { afterFailure, type Course, expectLoss, startCourse } from "./course.ts";
import { FollowedSet } from "./followed-set.ts";
import { FollowedRun, type RunBeginning, type RunListener } from "./followed-run.ts";
import { onPageReturn } from "./page-signals.ts";
import { planAttempt } from "./plan-attempt.ts";
import { readAlone } from "./read-alone.ts";
import { bestFor, bestRoute, type Loss, type Transport } from "./route.ts";
import type { RunsReaderOptions } from "./runs-reader-options.ts";
import { streamRuns } from "./stream-runs.ts";

/** How long to wait for further changes of the set before the connection is opened again, in milliseconds. */
const GATHER_MS = 50;

/** The reason of an attempt that ends because the set of runs has changed. */
const CHANGED = Symbol("changed");

/**
 * Follows a set of runs that changes, and the owner's feed, over one connection. Each run's listener gets every event once, in order,
 * however often the set changes or the connection is lost.
 *
 * | it is      | until                                            | then                                       |
 * | ---------- | ------------------------------------------------ | ------------------------------------------ |
 * | idle       | a run or the feed is added                       | gathering                                  |
 * | gathering  | `GATHER_MS` pass                                 | streaming, or polling                      |
 * | streaming  | a run or the feed is added or removed            | gathering: the next stream has new cursors |
 * | streaming  | every run is over, and there is no feed          | idle                                       |
 * | streaming  | the server cannot read some of them              | gathering, after a pause                   |
 * | streaming  | it is lost                                       | paused                                     |
 * | streaming  | it fails for good                                | idle: all of them have failed              |
 * | polling    | the same; or it is time for the stream again     | the same; gathering                        |
 * | paused     | the pause is over, or the page comes back        | gathering                                  |
 * | any        | `close`                                          | closed                                     |
 *
 * Without a slot, all is polled. Runs beyond those that fit into one stream are polled as well.
 * @see clauses W47 and W48 in `WIRE.md` of `@tm/run-events-http`
 */
export class RunsReader {
  readonly #options: Omit<RunsReaderOptions, "slot">;
  readonly #slot: RunsReaderOptions["slot"];
  readonly #server: Server;
  readonly #set = new FollowedSet();
  readonly #whole = new AbortController();
  readonly #stopListening: () => void;
  #course: Course;
  #isRunning = false;
  #attempt: LinkedAbort | null = null;
  /** The pause that the stream's `retry:` asked for, in milliseconds. */
  #askedMs = 0;
  /** Ends a pause early. */
  #endPause = (): void => {};
  #checkSilence = (): void => {};
  /** Ends a stream of many runs that may be dead. */
  #giveUp = (): void => {};
  /** The first connection is opened at once. */
  #gatherMs = 0;
  /** Opens the connection again later, for runs that the server could not read. */
  #again: ReturnType<typeof setTimeout> | undefined;

  /** @throws TypeError if the credential cannot be sent */
  constructor({ slot, ...options }: RunsReaderOptions = {}) {
    this.#options = options;
    this.#slot = slot;
    this.#server = createServer(options);
    this.#course = startCourse(bestFor(options.credential));
    this.#stopListening = onPageReturn((hasMoved) => {
      if (hasMoved) this.#giveUp();
      this.#checkSilence();
      this.#endPause();
    });
  }

  /**
   * Follows one more run to its end, in place of the same run if it is followed. A listener must not throw.
   * @returns stops following it. Idempotent
   * @throws RunEventsError `not_found` if no run can have the id, `invalid_cursor`
   */
  add(runId: string, beginning: RunBeginning, listener: RunListener): () => void {
    checkRunId(runId);
    const { since = 0 } = beginning;
    if (!Number.isSafeInteger(since) || since < 0) throw invalidCursor(since);
    const run = new FollowedRun(runId, beginning, listener);
    this.#set.addRun(run);
    this.reopen();
    return () => this.#leave(run);
  }

  /** Follows the owner's feed as well, in place of the feed before, as `add` does. */
  addFeed(start: FeedStart, listener: FeedListener): () => void {
    const feed = new FollowedFeed(start, listener);
    this.#set.addFeed(feed);
    this.reopen();
    return () => this.#leave(feed);
  }

  /** Opens the connection again, as when the set has changed. */
  reopen(): void {
    if (this.#whole.signal.aborted) return;
    this.#attempt?.abort(CHANGED);
    if (this.#isRunning) return;
    this.#isRunning = true;
    void this.#run();
  }

  /** Stops following everything, and closes the connection. Idempotent. */
  close(): void {
    this.#set.stop();
    clearTimeout(this.#again);
    this.#whole.abort();
    this.#attempt?.abort();
    this.#stopListening();
  }

  #leave(part: FollowedRun | FollowedFeed): void {
    part.stop();
    if (this.#set.remove(part)) this.reopen();
  }

  async #run(): Promise<void> {
    const { signal } = this.#whole;
    while (!this.#set.isEmpty && !signal.aborted) {
      try {
        await pause(this.#gatherMs, signal);
        this.#gatherMs = GATHER_MS;
        clearTimeout(this.#again);
        if (!this.#set.isEmpty) await this.#tryOnce();
      } catch (error) {
        if (!signal.aborted && error !== CHANGED) await this.#onLoss(error);
      }
    }
    // In the same turn as the check above: what is added later begins again.
    this.#isRunning = false;
    // Its connection is closed.
    this.#slot?.release();
  }

  /** One attempt. It ends when the set changes. */
  async #tryOnce(): Promise<void> {
    const attempt = linkAbort(this.#whole.signal);
    this.#attempt = attempt;
    const polls: Promise<void>[] = [];
    try {
      const mayHold = (await this.#slot?.take()) ?? true;
      attempt.signal.throwIfAborted();
      const { feed } = this.#set;
      const plan = planAttempt(this.#set, this.#course.route, mayHold);
      const { isAlone, isStreamed, streamed, alone } = plan;
      for (const one of alone) polls.push(this.#readRun(one.run, one.transport, attempt));
      if (feed !== null && !isStreamed) polls.push(this.#pollFeed(feed, plan.isFeedHeld, attempt));
      if (isStreamed) await this.#stream(streamed, feed, attempt, alone.length > 0);
      else if (isAlone) await polls[0];
      else await this.#untilProbe(attempt.signal);
      // Polled runs take the places of those that are over.
      if (isStreamed) attempt.abort(CHANGED);
      attempt.signal.throwIfAborted();
    } finally {
      attempt.abort(CHANGED);
      this.#attempt = null;
      this.#giveUp = () => {};
      await Promise.all(polls);
    }
  }

  async #stream(
    streamed: readonly FollowedRun[],
    feed: FollowedFeed | null,
    { signal, abort }: LinkedAbort,
    hasMore: boolean,
  ): Promise<void> {
    const startedAt = performance.now();
    const expect = (loss: Loss): void => {
      this.#course = expectLoss(this.#course, loss, performance.now() - startedAt);
    };
    expect("away");
    this.#giveUp = () => abort(unanswered("The page was away from the network."));
    for (const part of [...streamed, feed])
      if (part?.isLive === false) part.update({ state: "connecting" });
    const starts = streamed.map((run) => run.start());
    const call = runsStreamCall(starts, feed?.start() ?? null);
    const attempt = {
      feed,
      runs: new Map(streamed.map((run) => [run.runId, run])),
      signal,
      heartbeatMs: this.#options.heartbeatMs,
      openStream: (onHead: () => void) => this.#server.askStream(call, signal, onHead),
      expect,
      giveUp: (why: string) => abort(unanswered(why)),
      onRetry: (retryMs: number) => void (this.#askedMs = retryMs),
      onSeen: (listener: () => void) => void (this.#checkSilence = listener),
      onEvents: () => void (this.#course = { ...this.#course, failures: 0 }),
      onLeft: (run: FollowedRun, error: RunEventsError | null) => {
        if (error !== null) this.#tryAgainLater(run, error);
        else if (this.#forget(run) && hasMore) abort(CHANGED);
      },
      onFeedLeft: (error: RunEventsError) => {
        if (feed !== null && error.retryable) this.#tryAgainLater(feed, error);
        else if (feed !== null) this.#failFeed(feed, error);
      },
    };
    await streamRuns(attempt);
    // What is still open has ended too early. What the server could not read has a timer, which opens the next stream.
    if ([...streamed, feed].some((part) => part?.isOpen === true))
      throw unanswered("The stream ended before the run did.");
    if (!this.#set.isEmpty) await pause(FOR_EVER_MS, signal);
  }

  /** The others go on meanwhile. */
  #tryAgainLater(part: FollowedRun | FollowedFeed, error: RunEventsError): void {
    part.failures += 1;
    part.update({ state: "paused", error });
    const delayMs = planDelay(part.failures, 0, Math.random(), this.#options.mostDelayMs);
    clearTimeout(this.#again);
    this.#again = setTimeout(() => this.reopen(), delayMs);
  }

  /** Reads one run until it is over or the attempt is. It never rejects. */
  async #readRun(
    run: FollowedRun,
    transport: Transport,
    { signal, abort }: LinkedAbort,
  ): Promise<void> {
    const onSilence = (): void => this.#toBest(abort);
    await readAlone(run, { options: this.#options, transport, signal, onSilence });
    if (run.isOver) this.#forget(run);
  }

  /** Polls the feed until the attempt is over. It never rejects. */
  async #pollFeed(
    feed: FollowedFeed,
    isHeld: boolean,
    { signal, abort }: LinkedAbort,
  ): Promise<void> {
    try {
      await pollFeed(feed, {
        server: this.#server,
        isHeld,
        mostDelayMs: this.#options.mostDelayMs,
        signal,
        onSilence: () => this.#toBest(abort),
        onSeen: (end) => void (this.#endPause = end),
      });
    } catch (error) {
      if (!signal.aborted) this.#failFeed(feed, error);
    }
  }

  #failFeed(feed: FollowedFeed, error: unknown): void {
    feed.fail(error);
    this.#forget(feed);
  }

  /** Leaves polls for the best transport, unless a stream is open too. */
  #toBest(abort: LinkedAbort["abort"]): void {
    const { transport, best } = this.#course.route;
    if (transport === best) return;
    this.#course = { ...this.#course, route: bestRoute(best), loss: "away" };
    abort(unanswered("The server answered no poll."));
  }

  /** Waits for the time at which the best transport is tried again, or until the polled runs are over. */
  async #untilProbe(signal: AbortSignal): Promise<void> {
    const { probeAt, best } = this.#course.route;
    await pause(Math.min(FOR_EVER_MS, probeAt - performance.now()), signal);
    this.#course = { ...this.#course, route: bestRoute(best) };
  }

  /** @returns whether it was followed */
  #forget(part: FollowedRun | FollowedFeed): boolean {
    const isKnown = this.#set.remove(part);
    if (isKnown && this.#set.isEmpty) this.#attempt?.abort(CHANGED);
    return isKnown;
  }

  async #onLoss(error: unknown): Promise<void> {
    if (!(error instanceof RunEventsError && error.retryable)) return this.#set.fail(error);
    this.#course = afterFailure(this.#course, performance.now());
    this.#set.wait(error);
    const { failures, loss } = this.#course;
    const atLeastMs = loss === "full" ? 0 : (error.details.retryAfterMs ?? this.#askedMs);
    const delayMs = planDelay(failures, atLeastMs, Math.random(), this.#options.mostDelayMs);
    await pause(delayMs, this.#whole.signal, (end) => (this.#endPause = end)).catch(() => {});
  }
}
