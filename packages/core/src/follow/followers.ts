import { checkCursor } from "../rules/cursor.ts";
import { runNotFound, storeClosed } from "../rules/errors.ts";
import { checkRunId } from "../rules/run-id.ts";
import { tailStart } from "../rules/tail-start.ts";
import type { Clock } from "../time/clock.ts";
import { Follower } from "./follower.ts";
import type { FollowerSource } from "./follower-source.ts";
import type { FollowerReader } from "./reader-set.ts";
import { createSliceBudget } from "./pages.ts";
import { createRecentBudget } from "./recent-events.ts";
import { Rounds } from "./rounds.ts";

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
   * Finds the cursor this many events before the end of a run.
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
 * All followers of a process.
 *
 * | state     | event                     | next      | what happens                                    |
 * | --------- | ------------------------- | --------- | ----------------------------------------------- |
 * | empty     | a reader comes            | following | its run gets a follower, and the rounds begin   |
 * | following | the last follower retires | empty     | the rounds stop                                 |
 * | any       | `close`                   | closed    | each follower fails and retires; `open` throws  |
 */
class RunFollowers implements Followers {
  readonly #source: FollowerSource;
  readonly #budgets = { slices: createSliceBudget(), recent: createRecentBudget() };
  readonly #followers = new Map<string, Follower>();
  readonly #rounds: Rounds;
  #isClosed = false;

  constructor(source: FollowerSource, clock: Clock) {
    this.#source = source;
    this.#rounds = new Rounds(this.#followers, clock);
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
      if (this.#followers.size === 0) this.#rounds.stop();
    });
    this.#followers.set(runId, follower);
    this.#rounds.start();
    return follower;
  }
}
