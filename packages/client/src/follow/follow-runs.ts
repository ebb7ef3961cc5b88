import { RunEventsError } from "@tm/run-events-core";
import { checkRunId, invalidCursor } from "@tm/run-events-core/wire";
import { type LinkedAbort, linkAbort } from "../http/link-abort.ts";
import { pause } from "../http/pause.ts";
import { planDelay } from "../http/plan-delay.ts";
import { runsStreamCall } from "../http/run-calls.ts";
import { askStream, createServer, type Server } from "../http/server.ts";
import { unanswered } from "../http/server-errors.ts";
import { afterFailure, type Course, expectLoss, startCourse } from "./course.ts";
import { fittingRuns } from "./fitting-runs.ts";
import { FollowedRun, type RunBeginning, type RunListener } from "./followed-run.ts";
import { onPageReturn } from "./page-signals.ts";
import { readOn } from "./read-on.ts";
import { bestFor, bestRoute, type Loss, type Transport } from "./route.ts";
import type { RunsReaderOptions } from "./runs-reader-options.ts";
import { streamRuns } from "./stream-runs.ts";

/** How long to wait for further changes of the set before the connection is opened again, in milliseconds. */
const GATHER_MS = 50;
/** While more runs than these are polled, the server does not hold the polls: a browser has six connections to a host. */
const MOST_HELD = 2;
/** A stream is given up when nothing has come for this many heartbeats. */
const SILENT_HEARTBEATS = 2.5;

/** The reason of an attempt that ends because the set of runs has changed. */
const CHANGED = Symbol("changed");

/**
 * Follows a set of runs that changes, over one connection. Each run's listener gets every event once, in order, however often the set
 * changes or the connection is lost.
 *
 * | it is      | until                                          | then                                      |
 * | ---------- | ---------------------------------------------- | ----------------------------------------- |
 * | idle       | a run is added                                 | gathering                                 |
 * | gathering  | `GATHER_MS` pass                               | streaming, or polling                     |
 * | streaming  | a run is added or removed                      | gathering: the next stream has new cursors |
 * | streaming  | every run is over                              | idle                                      |
 * | streaming  | the server cannot read some of the runs        | gathering, after a pause                  |
 * | streaming  | it is lost                                     | waiting                                   |
 * | streaming  | it fails for good                              | idle: every run has failed                |
 * | polling    | the same; or it is time for the stream again   | the same; gathering                       |
 * | waiting    | the pause is over, or the page comes back      | gathering                                 |
 * | any        | `close`                                        | closed                                    |
 *
 * Runs beyond those that fit into one stream are polled as well. A run that is alone has the stream of one run, or its polls.
 * @see clause W47 in `WIRE.md` of `@tm/run-events-http`
 */
export class RunsReader {
  readonly #options: RunsReaderOptions;
  readonly #server: Server;
  readonly #best: Transport;
  readonly #runs = new Map<string, FollowedRun>();
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
  #gatherMs: number;
  /** Opens the connection again later, for runs that the server could not read. */
  #again: ReturnType<typeof setTimeout> | undefined;

  /** @throws TypeError if the credential cannot be sent */
  constructor(options: RunsReaderOptions = {}) {
    this.#options = options;
    this.#gatherMs = options.isHasty === true ? 0 : GATHER_MS;
    this.#server = createServer(options);
    this.#best = bestFor(options.credential);
    this.#course = startCourse(this.#best);
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
    this.#runs.get(runId)?.stop();
    this.#runs.set(runId, run);
    this.#change();
    return () => {
      if (this.#runs.get(runId) !== run) return;
      this.#runs.delete(runId);
      run.stop();
      this.#change();
    };
  }

  /** Stops following every run, and closes the connection. Idempotent. */
  close(): void {
    for (const run of this.#runs.values()) run.stop();
    this.#runs.clear();
    clearTimeout(this.#again);
    this.#whole.abort();
    this.#attempt?.abort();
    this.#stopListening();
  }

  #change(): void {
    if (this.#whole.signal.aborted) return;
    this.#attempt?.abort(CHANGED);
    if (this.#isRunning) return;
    this.#isRunning = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    const { signal } = this.#whole;
    while (this.#runs.size > 0 && !signal.aborted) {
      try {
        await pause(this.#gatherMs, signal);
        this.#gatherMs = GATHER_MS;
        clearTimeout(this.#again);
        if (this.#runs.size > 0) await this.#tryOnce([...this.#runs.values()]);
      } catch (error) {
        if (!signal.aborted && error !== CHANGED) await this.#onLoss(error);
      }
    }
    // In the same turn as the check above: a run that is added later begins again.
    this.#isRunning = false;
  }

  /** One attempt for these runs. It ends when the set changes. */
  async #tryOnce(runs: readonly FollowedRun[]): Promise<void> {
    const attempt = linkAbort(this.#whole.signal);
    this.#attempt = attempt;
    this.#options.onActivity?.();
    const isAlone = runs.length === 1;
    const isStreamed = this.#course.route.transport === "stream" && !isAlone;
    const streamed = isStreamed ? fittingRuns(runs) : [];
    const polled = runs.slice(streamed.length);
    const held = polled.length > MOST_HELD || streamed.length > 0 ? "poll" : "long_poll";
    const transport = isAlone ? this.#best : held;
    const polls = polled.map((run) => this.#readOne(run, transport, attempt));
    try {
      if (streamed.length > 0) await this.#stream(streamed, attempt, polled.length > 0);
      else if (isAlone) await polls[0];
      else await this.#untilProbe(attempt.signal);
      // Polled runs take the places of those that are over.
      if (streamed.length > 0) attempt.abort(CHANGED);
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
    { signal, abort }: LinkedAbort,
    hasMore: boolean,
  ): Promise<void> {
    const { heartbeatMs = 15_000 } = this.#options;
    const startedAt = performance.now();
    const expect = (loss: Loss): void => {
      this.#course = expectLoss(this.#course, loss, performance.now() - startedAt);
    };
    expect("away");
    this.#giveUp = () => abort(unanswered("The page was away from the network."));
    for (const run of streamed) if (!run.isLive) run.update({ state: "connecting" });
    const call = runsStreamCall(streamed.map((run) => run.start()));
    const attempt = {
      runs: new Map(streamed.map((run) => [run.runId, run])),
      signal,
      openStream: (onHead: () => void) => askStream(this.#server, call, signal, onHead),
      expect,
      giveUp: (why: string) => abort(unanswered(why)),
      onActivity: () => this.#options.onActivity?.(),
      onSeen: (listener: () => void) => void (this.#checkSilence = listener),
      onEvents: () => void (this.#course = { ...this.#course, failures: 0 }),
      onLeft: (run: FollowedRun, error: RunEventsError | null) => {
        if (error !== null) this.#tryAgainLater(run, error);
        else if (this.#forget(run) && hasMore) abort(CHANGED);
      },
    };
    await streamRuns(attempt, heartbeatMs * SILENT_HEARTBEATS, (ms) => (this.#askedMs = ms));
    // The runs that are left could not be read. Their timer opens the next stream.
    if (this.#runs.size > 0) await pause(FOR_EVER_MS, signal);
  }

  /** The other runs go on meanwhile. */
  #tryAgainLater(run: FollowedRun, error: RunEventsError): void {
    run.failures += 1;
    run.update({ state: "waiting", error });
    const { mostDelayMs } = this.#options;
    clearTimeout(this.#again);
    this.#again = setTimeout(
      () => this.#change(),
      planDelay(run.failures, 0, Math.random(), mostDelayMs),
    );
  }

  /** Reads one run until it is over or the attempt is. It never rejects. */
  async #readOne(
    run: FollowedRun,
    transport: Transport,
    { signal, abort }: LinkedAbort,
  ): Promise<void> {
    let hasAnswered = false;
    const { pollFetch, onActivity = () => {}, ...options } = this.#options;
    if (transport === "poll" && pollFetch !== undefined) options.fetch = pollFetch;
    const reading = readOn(
      { ...options, ...run.beginning(), runId: run.runId, signal },
      { cursor: () => run.cursor, at: () => run.at },
      (change) => {
        hasAnswered ||= change.runStatus !== undefined;
        // The connection of a live run is only opened again.
        const isSame = change.state === "connecting" && run.isLive;
        if (!isSame) run.update(change);
        // Nothing shows that polls get through where the stream did not.
        if (change.state === "waiting" && !hasAnswered && this.#best === "stream")
          this.#toBest(abort);
      },
      onActivity,
      transport,
    );
    try {
      let events = await reading.next();
      for (; typeof events === "object"; events = await reading.next()) {
        hasAnswered = true;
        run.take(events);
      }
      run.update({ state: "finished" });
      this.#forget(run);
    } catch (error) {
      if (signal.aborted) return;
      run.fail(error);
      this.#forget(run);
    } finally {
      reading.end();
    }
  }

  /** Leaves polls for the best transport, unless a stream is open too. */
  #toBest(abort: LinkedAbort["abort"]): void {
    if (this.#course.route.transport === this.#best) return;
    this.#course = { ...this.#course, route: bestRoute(this.#best), loss: "away" };
    abort(unanswered("The server answered no poll."));
  }

  /** Waits for the time at which the best transport is tried again, or until the polled runs are over. */
  async #untilProbe(signal: AbortSignal): Promise<void> {
    const { probeAt } = this.#course.route;
    await pause(Math.min(FOR_EVER_MS, probeAt - performance.now()), signal);
    this.#course = { ...this.#course, route: bestRoute(this.#best) };
  }

  /** @returns whether it was followed */
  #forget(run: FollowedRun): boolean {
    if (this.#runs.get(run.runId) !== run) return false;
    this.#runs.delete(run.runId);
    if (this.#runs.size === 0) this.#attempt?.abort(CHANGED);
    return true;
  }

  async #onLoss(error: unknown): Promise<void> {
    const runs = [...this.#runs.values()];
    if (!(error instanceof RunEventsError && error.retryable)) {
      this.#runs.clear();
      for (const run of runs) run.fail(error);
      return;
    }
    this.#options.onActivity?.();
    this.#course = afterFailure(this.#course, performance.now());
    const { failures, loss } = this.#course;
    for (const run of runs) run.update({ state: "waiting", error });
    const atLeastMs = loss === "full" ? 0 : (error.details.retryAfterMs ?? this.#askedMs);
    const delayMs = planDelay(failures, atLeastMs, Math.random(), this.#options.mostDelayMs);
    await pause(delayMs, this.#whole.signal, (end) => (this.#endPause = end)).catch(() => {});
  }
}

/** Longer than any timer: 11 days, in milliseconds. */
const FOR_EVER_MS = 1_000_000_000;
