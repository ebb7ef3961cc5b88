import { checkCursor } from "../rules/cursor.ts";
import { storeClosed } from "../rules/errors.ts";
import { checkRunId } from "../rules/run-id.ts";
import type { Clock } from "../time/clock.ts";
import {
  createFollower,
  type Follower,
  type FollowerReader,
  type FollowerSource,
} from "./follower.ts";
import { createSliceBudget } from "./pages.ts";

/** How often every followed run is read without a bell, so that a lost one costs time and nothing else. @see S15 */
const RECHECK_MS = 5_000;
/**
 * The most runs that are read so at once, and the pause behind them: 50 a second, so that 250 runs keep to `RECHECK_MS` and
 * 10,000 take 200 s. Code that runs so seldom is cold: with 200 a second 10,000 quiet streams took 1.57 of what bare responses
 * take of a core, with 50 they take 1.19 (`pnpm bench idle`).
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
  ): { readonly follower: Follower; readonly opened: ReturnType<Follower["open"]> };
  /** Ends all readers with `store_unavailable`, and every timer and watch. Idempotent; opens nothing afterwards. */
  close(): void;
}

/** Keeps one follower a run while it has readers. */
export function createFollowers(source: FollowerSource, clock: Clock): Followers {
  const followers = new Map<string, Follower>();
  const budget = createSliceBudget();
  let stopRecheck: (() => void) | null = null;
  /** The runs that are still to be read in this round; `null` between two. */
  let round: Iterator<Follower> | null = null;
  /** How many of them: whoever comes meanwhile stands behind them, and waits for the next round. */
  let leftInRound = 0;
  let stopRound: (() => void) | null = null;
  let closed = false;

  function recheck(): void {
    // Of very many runs the round before may still go on.
    if (round !== null) return;
    round = followers.values();
    leftInRound = followers.size;
    stopRound = clock.every(RECHECK_PAUSE_MS, readSome);
    readSome();
  }

  function readSome(): void {
    for (let left = RECHECK_RUNS; left > 0 && round !== null; left -= 1) {
      const next = round.next();
      leftInRound -= 1;
      if (next.done !== true) next.value.refresh();
      if (next.done === true || leftInRound === 0) endRound();
    }
  }

  function endRound(): void {
    round = null;
    stopRound?.();
    stopRound = null;
  }

  function followerOf(runId: string): Follower {
    const existing = followers.get(runId);
    if (existing !== undefined) return existing;
    const follower = createFollower(runId, source, budget, () => {
      if (followers.get(runId) === follower) followers.delete(runId);
      if (followers.size > 0) return;
      stopRecheck?.();
      stopRecheck = null;
      endRound();
    });
    followers.set(runId, follower);
    stopRecheck ??= clock.every(RECHECK_MS, recheck);
    return follower;
  }

  return {
    open(runId, reader, since, ownerId) {
      if (closed) throw storeClosed();
      checkRunId(runId);
      checkCursor(since);
      const follower = followerOf(runId);
      return { follower, opened: follower.open(reader, since, ownerId) };
    },
    close() {
      closed = true;
      for (const follower of followers.values()) follower.fail(storeClosed());
    },
  };
}
