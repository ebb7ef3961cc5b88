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
/** The most that are read so at once; with more runs each waits its turn, so that idle runs do not keep a server busy. */
const RECHECK_RUNS = 2_500;

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
  let closed = false;

  function recheck(): void {
    let left = Math.min(RECHECK_RUNS, followers.size);
    for (const [runId, follower] of followers) {
      if (left === 0) return;
      left -= 1;
      // To the end of the line.
      followers.delete(runId);
      followers.set(runId, follower);
      follower.refresh();
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
