import { checkCursor } from "./cursor.ts";
import type { Clock } from "./clock.ts";
import { storeClosed } from "./errors.ts";
import { checkRunId } from "./event.ts";
import {
  createFollower,
  type Follower,
  type FollowerReader,
  type FollowerSource,
} from "./follower.ts";

/** How often every followed run is read without a bell, so that a lost one costs time and nothing else. @see S15 */
const RECHECK_MS = 5_000;
/**
 * The most runs that are read so at once, and the pause behind them: 200 a second, so that 1,000 runs keep to `RECHECK_MS`
 * and 10,000 take 50 s. At some 11 µs a quiet run (`pnpm bench idle`) all of those every 5 s would take 2 % of a core.
 */
const RECHECK_RUNS = 50;
const RECHECK_PAUSE_MS = 250;

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
  let stopRecheck: (() => void) | null = null;
  /** The runs that are still to be read in this round; `null` between two. */
  let round: Iterator<Follower> | null = null;
  let nextRoundAt = 0;
  let closed = false;

  function recheck(): void {
    const time = clock.now();
    if (round === null) {
      if (time < nextRoundAt) return;
      nextRoundAt = time + RECHECK_MS;
      round = followers.values();
    }
    for (let left = RECHECK_RUNS; left > 0; left -= 1) {
      const next = round.next();
      if (next.done === true) {
        round = null;
        return;
      }
      next.value.refresh();
    }
  }

  function followerOf(runId: string): Follower {
    const existing = followers.get(runId);
    if (existing !== undefined) return existing;
    const follower = createFollower(runId, source, () => {
      if (followers.get(runId) === follower) followers.delete(runId);
      if (followers.size > 0) return;
      stopRecheck?.();
      stopRecheck = null;
      round = null;
    });
    followers.set(runId, follower);
    if (stopRecheck === null) {
      nextRoundAt = clock.now() + RECHECK_MS;
      stopRecheck = clock.every(RECHECK_PAUSE_MS, recheck);
    }
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
