import { checkCursor } from "../rules/cursor.ts";
import { runNotFound, storeClosed } from "../rules/errors.ts";
import { checkRunId } from "../rules/run-id.ts";
import { tailStart } from "../rules/tail-start.ts";
import type { Clock } from "../time/clock.ts";
import { Follower, type FollowerSource } from "./follower.ts";
import type { FollowerReader } from "./reader-set.ts";
import { createSliceBudget } from "./pages.ts";
import { createRecentBudget } from "./recent-events.ts";

/**
 * How often every followed run is read without a notification, so that a lost one costs only time, in milliseconds.
 * @see clause S15 in `STORE.md`
 */
const RECHECK_MS = 5_000;
/**
 * The most runs that are read in this way at once, and the pause after them. With many runs a round takes longer than `RECHECK_MS`. The
 * rate is low, since these reads are most of the cost of many quiet streams.
 */
const RECHECK_RUNS = 50;
const RECHECK_PAUSE_MS = 1_000;

/** The followers of one process: one a run, however many readers it has. */
export interface Followers {
  /** Adds the reader to the run's follower, as `Follower.open` does, and returns both. */
  open(
    runId: string,
    reader: FollowerReader,
    since: number,
    ownerId: string | null,
    atMs?: number | null,
  ): { readonly follower: Follower; readonly opened: ReturnType<Follower["open"]> };
  /**
   * Finds the cursor so many events before the end of a run.
   * @throws RunEventsError `not_found`, `store_unavailable`
   */
  tailStart(runId: string, tail: number, ownerId: string | null): Promise<number>;
  /** Ends all readers with `store_unavailable`, and every timer and subscription. Idempotent; opens nothing afterwards. */
  close(): void;
}

/** Makes the followers of a process: one for each run that has readers. */
export function createFollowers(source: FollowerSource, clock: Clock): Followers {
  return new RunFollowers(source, clock);
}

/**
 * All followers of a process, and the rounds in which each is read without a notification.
 *
 * | state   | event                     | next    | what happens                                                        |
 * | ------- | ------------------------- | ------- | ------------------------------------------------------------------- |
 * | empty   | a reader comes            | waiting | its run gets a follower; a round will begin in `RECHECK_MS`         |
 * | waiting | `RECHECK_MS` pass         | round   | it holds the runs that are followed now; the first of them are read |
 * | round   | `RECHECK_PAUSE_MS` pass   | round   | the next runs are read                                              |
 * | round   | its last run is read      | waiting |                                                                     |
 * | round   | `RECHECK_MS` pass         | round   | nothing: with very many runs a round takes longer                   |
 * | any     | the last follower retires | empty   | both timers stop                                                    |
 * | any     | `close`                   | closed  | each follower fails and retires; `open` throws                      |
 */
class RunFollowers implements Followers {
  readonly #source: FollowerSource;
  readonly #clock: Clock;
  readonly #budgets = { slices: createSliceBudget(), recent: createRecentBudget() };
  readonly #followers = new Map<string, Follower>();
  #stopRecheck: (() => void) | null = null;
  /** The runs that are still to be read in this round; `null` between two rounds. */
  #round: Iterator<Follower> | null = null;
  /** The number of those runs. A run that is added meanwhile is last in the map, and waits for the next round. */
  #leftInRound = 0;
  #stopRound: (() => void) | null = null;
  #isClosed = false;

  constructor(source: FollowerSource, clock: Clock) {
    this.#source = source;
    this.#clock = clock;
  }

  open(
    runId: string,
    reader: FollowerReader,
    since: number,
    ownerId: string | null,
    atMs: number | null = null,
  ): ReturnType<Followers["open"]> {
    if (this.#isClosed) throw storeClosed();
    checkRunId(runId);
    checkCursor(since);
    const follower = this.#followers.get(runId) ?? this.#add(runId);
    return { follower, opened: follower.open(reader, since, ownerId, atMs) };
  }

  async tailStart(runId: string, tail: number, ownerId: string | null): Promise<number> {
    checkRunId(runId);
    // The head alone: no event follows this cursor.
    const since = Number.MAX_SAFE_INTEGER - 1;
    const head = await this.#source.read({ runId, ownerId, since, limit: 1, maxBytes: 1 });
    if (head === null) throw runNotFound();
    return tailStart(head.run.lastSequence, tail);
  }

  close(): void {
    this.#isClosed = true;
    for (const follower of this.#followers.values()) follower.fail(storeClosed());
  }

  #add(runId: string): Follower {
    const follower = new Follower(runId, this.#source, this.#budgets, () => {
      // By then the run may have another follower.
      if (this.#followers.get(runId) === follower) this.#followers.delete(runId);
      if (this.#followers.size === 0) this.#stop();
    });
    this.#followers.set(runId, follower);
    this.#stopRecheck ??= this.#clock.every(RECHECK_MS, () => this.#startRound());
    return follower;
  }

  #startRound(): void {
    if (this.#round !== null) return;
    this.#round = this.#followers.values();
    this.#leftInRound = this.#followers.size;
    this.#stopRound = this.#clock.every(RECHECK_PAUSE_MS, () => this.#readSome());
    this.#readSome();
  }

  #readSome(): void {
    for (let left = RECHECK_RUNS; left > 0 && this.#round !== null; left -= 1) {
      const next = this.#round.next();
      this.#leftInRound -= 1;
      if (next.done !== true) next.value.refresh();
      if (next.done === true || this.#leftInRound === 0) this.#endRound();
    }
  }

  #endRound(): void {
    this.#round = null;
    this.#stopRound?.();
    this.#stopRound = null;
  }

  #stop(): void {
    this.#stopRecheck?.();
    this.#stopRecheck = null;
    this.#endRound();
  }
}
