import { RunEventsError } from "@tm/run-events-core";
import type { FollowedFeed } from "../feed/followed-feed.ts";
import { canStream } from "../http/credential.ts";
import { runsStreamCall } from "../http/feed-calls.ts";
import { type LinkedAbort, linkAbort } from "../http/link-abort.ts";
import { FOR_EVER_MS, pause } from "../http/pause.ts";
import { planDelay } from "../http/plan-delay.ts";
import type { RunBeginning } from "../http/queries.ts";
import { streamCall } from "../http/run-calls.ts";
import { createServer, type Server, type ServerOptions } from "../http/server.ts";
import { unanswered } from "../http/server-errors.ts";
import {
  afterFailure,
  backToBest,
  type Course,
  expectLoss,
  type Loss,
  startCourse,
} from "./course.ts";
import type { FollowRunOptions } from "./follow-options.ts";
import { FollowedRun, type RunListener } from "./followed-run.ts";
import { onPresenceChange } from "./page-signals.ts";
import { type Part, planAttempt } from "./plan-attempt.ts";
import { poll } from "./poll.ts";
import { streamRuns } from "./stream-runs.ts";
import type { StreamSlot } from "./stream-slot.ts";

/** The time to wait for further changes of the set before the connection is opened again, in milliseconds. */
const GATHER_MS = 50;

/** The time after which a reader without a slot asks for one again, in milliseconds. */
const SLOT_MS = 5_000;

/** The reason of an attempt that ends because the set of runs has changed. */
const CHANGED = Symbol("changed");

/** Where the server is, its heartbeat, and what allows a connection that stays open. */
export interface RunsReaderOptions extends ServerOptions, Pick<FollowRunOptions, "heartbeatMs"> {
  /**
   * Allows a stream, or a poll that the server holds. The reader releases it when it follows nothing.
   * @defaultValue none: both are always allowed
   */
  readonly slot?: Pick<StreamSlot, "take" | "release">;
}

/**
 * Follows a set of runs that changes, and the owner's feed, over one connection. Each run's listener gets every event once, in order,
 * however often the set changes or the connection is lost.
 *
 * | it is      | until                                            | then                                       |
 * | ---------- | ------------------------------------------------ | ------------------------------------------ |
 * | idle       | a run or the feed is added                       | streaming, or polling                      |
 * | streaming  | a run or the feed is added or removed            | gathering: the next stream has new cursors |
 * | streaming  | every run is over, and there is no feed          | idle                                       |
 * | streaming  | the server cannot read some of them              | gathering, after a pause                   |
 * | streaming  | it is lost                                       | paused                                     |
 * | streaming  | it fails for good                                | idle: all of them have failed              |
 * | gathering  | `GATHER_MS` pass                                 | streaming, or polling                      |
 * | polling    | the same; time for the stream; or a slot is free | the same; gathering                        |
 * | paused     | the pause is over, or the page comes back        | streaming, or polling                      |
 * | any        | `close`                                          | closed                                     |
 *
 * A run that is alone has the stream of one run. Without a slot, all is polled. Runs beyond those that fit into one stream are polled as
 * well.
 * @see clauses W19 to W26, W47 and W48 in `WIRE.md` of `@tm/run-events-http`
 */
export class RunsReader {
  readonly #options: RunsReaderOptions;
  readonly #server: Server;
  /** By the id of the run; the feed has the key `null`. */
  readonly #parts = new Map<string | null, Part>();
  readonly #whole = new AbortController();
  readonly #stopListening: () => void;
  #course: Course;
  #isRunning = false;
  #attempt: LinkedAbort | null = null;
  /** The pause that the stream's `retry:` asked for, in milliseconds. */
  #askedMs = 0;
  /** Whether the page has come back since the server was last heard. */
  #hasReturned = false;
  /** Ends a pause early, or checks a stream that may be dead. */
  #onSeen = (): void => {};
  /** Opens the connection again later, for what the server could not read. */
  #again: ReturnType<typeof setTimeout> | undefined;

  /** @throws TypeError if the credential cannot be sent */
  constructor(options: RunsReaderOptions = {}) {
    const { credential = "session" } = options;
    this.#options = options;
    this.#server = createServer(options);
    this.#course = startCourse(canStream(credential) ? "stream" : "poll");
    this.#stopListening = onPresenceChange((presence, hasMoved) => {
      if (presence !== "visible" && !hasMoved) return;
      this.#hasReturned = true;
      if (hasMoved) this.#attempt?.abort(unanswered("The page was away from the network."));
      this.#onSeen();
    });
  }

  /**
   * Follows one more run to its end, in place of the same run if it is followed. A listener must not throw.
   * @returns stops following it. Idempotent
   * @throws RunEventsError `not_found` if no run can have the id, `invalid_cursor`
   */
  add(runId: string, beginning: RunBeginning, listener: RunListener): () => void {
    return this.follow(new FollowedRun(runId, beginning, listener));
  }

  /** Follows one more run, or the owner's feed, in place of the part with the same key. It goes on after what the new part already has. */
  follow(part: Part): () => void {
    this.#stop(this.#parts.get(part.key));
    part.isStopped = false;
    this.#parts.set(part.key, part);
    this.#reopen();
    return () => {
      if (part.isOver) return;
      this.#stop(part);
      this.#reopen();
    };
  }

  #stop(part: Part | undefined): void {
    if (part !== undefined) part.isStopped = true;
  }

  /** Opens the connection again, as when the set has changed. */
  #reopen(): void {
    if (this.#whole.signal.aborted) return;
    this.#attempt?.abort(CHANGED);
    if (this.#isRunning) return;
    this.#isRunning = true;
    void this.#run();
  }

  /** Stops following everything, and closes the connection. Idempotent. */
  close(): void {
    for (const part of this.#parts.values()) this.#stop(part);
    this.#parts.clear();
    clearTimeout(this.#again);
    this.#whole.abort();
    this.#attempt?.abort();
    this.#stopListening();
  }

  /** The parts that are not over. */
  #left(): readonly Part[] {
    for (const [key, part] of this.#parts) if (part.isOver) this.#parts.delete(key);
    return [...this.#parts.values()];
  }

  async #run(): Promise<void> {
    const { signal } = this.#whole;
    // Parts that are added in one turn share the first connection.
    let gatherMs = 0;
    while (this.#left().length > 0 && !signal.aborted) {
      try {
        await pause(gatherMs, signal);
        gatherMs = GATHER_MS;
        clearTimeout(this.#again);
        if (this.#left().length > 0) await this.#tryOnce();
      } catch (error) {
        if (signal.aborted || error === CHANGED) continue;
        await this.#onLoss(error);
        gatherMs = 0;
      }
    }
    // In the same turn as the check above: what is added later begins again.
    this.#isRunning = false;
    // Its connection is closed.
    this.#options.slot?.release();
  }

  /** One attempt. It ends when the set changes. */
  async #tryOnce(): Promise<void> {
    const attempt = linkAbort(this.#whole.signal);
    this.#attempt = attempt;
    this.#hasReturned = false;
    const polls: Promise<void>[] = [];
    try {
      const mayHold = (await this.#options.slot?.take()) ?? true;
      attempt.signal.throwIfAborted();
      const { streamed, polled } = planAttempt(this.#left(), this.#course.transport, mayHold);
      for (const { part, isHeld } of polled) polls.push(this.#poll(part, isHeld, attempt));
      if (streamed.length > 0) await this.#stream(streamed, attempt, polled.length > 0);
      else await this.#untilBetter(attempt, mayHold);
      attempt.signal.throwIfAborted();
    } finally {
      attempt.abort(CHANGED);
      this.#attempt = null;
      await Promise.all(polls);
    }
  }

  async #stream(
    streamed: readonly Part[],
    { signal, abort }: LinkedAbort,
    hasMore: boolean,
  ): Promise<void> {
    const startedAt = performance.now();
    const expect = (loss: Loss): void => {
      this.#course = expectLoss(this.#course, loss, performance.now() - startedAt);
      // Bytes may still arrive after the attempt has been given up.
      if (loss === "cut") this.#hasReturned &&= signal.aborted;
    };
    expect("away");
    for (const part of streamed)
      if (part.connection.state !== "live") part.update({ state: "connecting" });
    const runs = streamed.filter((part): part is FollowedRun => part.key !== null);
    const feed = streamed.find((part): part is FollowedFeed => part.key === null) ?? null;
    const starts = runs.map((run) => run.start());
    const [first] = starts;
    const isAlone = starts.length === 1 && feed === null && first?.tail === undefined;
    const call =
      isAlone && first !== undefined
        ? streamCall(first.runId, first.since, first.at)
        : runsStreamCall(starts, feed?.start() ?? null);
    await streamRuns({
      only: (isAlone && runs[0]) || null,
      feed,
      runs: new Map(runs.map((run) => [run.key, run])),
      signal,
      heartbeatMs: this.#options.heartbeatMs,
      openStream: (onHead: () => void) => this.#server.askStream(call, signal, onHead),
      expect,
      giveUp: (why: string) => abort(unanswered(why)),
      onRetry: (retryMs: number) => void (this.#askedMs = retryMs),
      onSeen: (listener: () => void) => void (this.#onSeen = listener),
      onEvents: () => void (this.#course = { ...this.#course, failures: 0 }),
      onLeft: (part, error) => {
        if (error !== null) this.#tryAgainLater(part, error);
        // Polled runs take the places of those that are over.
        else if (hasMore || this.#left().length === 0) abort(CHANGED);
      },
    });
    // A part that is still open has ended too early. One that the server could not read has a timer, which opens the next stream.
    if (streamed.some((part) => part.isOpen && !part.isOver))
      throw unanswered("The stream ended before the run did.");
    if (this.#left().length > 0) await pause(FOR_EVER_MS, signal);
  }

  /** The others go on meanwhile. */
  #tryAgainLater(part: Part, error: RunEventsError): void {
    part.failures += 1;
    part.update({ state: "paused", error });
    const delayMs = planDelay(part.failures, 0, Math.random(), this.#options.mostDelayMs);
    clearTimeout(this.#again);
    this.#again = setTimeout(() => this.#reopen(), delayMs);
  }

  async #poll(part: Part, isHeld: boolean, { signal, abort }: LinkedAbort): Promise<void> {
    await poll(part, {
      server: this.#server,
      isHeld,
      mostDelayMs: this.#options.mostDelayMs,
      signal,
      onSilence: () => {
        if (this.#course.transport === this.#course.best) return;
        this.#course = backToBest(this.#course);
        abort(unanswered("The server answered no poll."));
      },
    });
    if (this.#left().length === 0) abort(CHANGED);
  }

  /** Waits for a slot, or for the time at which the best transport is tried again, or until the polled runs are over. */
  async #untilBetter({ signal, abort }: LinkedAbort, mayHold: boolean): Promise<void> {
    this.#course = { ...this.#course, loss: "away" };
    // A page that is seen again polls at once.
    this.#onSeen = () => abort(CHANGED);
    if (mayHold) {
      await pause(Math.min(FOR_EVER_MS, this.#course.probeAt - performance.now()), signal);
      this.#course = backToBest(this.#course);
      return;
    }
    do await pause(SLOT_MS, signal);
    while ((await this.#options.slot?.take()) === false);
  }

  async #onLoss(error: unknown): Promise<void> {
    const parts = this.#left();
    if (!(error instanceof RunEventsError && error.retryable)) {
      for (const part of parts) part.fail(error);
      return;
    }
    this.#course = afterFailure(this.#course, performance.now());
    for (const part of parts) part.update({ state: "paused", error });
    const { failures, loss } = this.#course;
    // A full server asks for a pause of the stream, not of the polls.
    const atLeastMs = loss === "full" ? 0 : (error.details.retryAfterMs ?? this.#askedMs);
    const delayMs = planDelay(failures, atLeastMs, Math.random(), this.#options.mostDelayMs);
    const { signal } = this.#whole;
    const ms = this.#hasReturned ? 0 : delayMs;
    await pause(ms, signal, (end) => (this.#onSeen = end)).catch(() => {});
  }
}
