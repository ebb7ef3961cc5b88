import { checkCursor } from "../rules/cursor.ts";
import { runNotFound, storeClosed } from "../rules/errors.ts";
import { nameKey, type RunName } from "../rules/head.ts";
import { checkRunId } from "../rules/run-id.ts";
import { tailStart } from "../rules/tail-start.ts";
import type { Clock } from "../time/clock.ts";
import { Follower } from "./follower.ts";
import type { FollowerSource } from "./follower-source.ts";
import type { FollowerReader } from "./reader-set.ts";
import { createRecentBudget } from "./recent-events.ts";
import { Rounds } from "./rounds.ts";

/**
 * The followers of one process: one for each run that has readers, however many.
 *
 * | state     | event                     | next      | what happens                                    |
 * | --------- | ------------------------- | --------- | ----------------------------------------------- |
 * | empty     | a reader comes            | following | its run gets a follower, and the rounds begin   |
 * | following | the last follower retires | empty     | the rounds stop                                 |
 * | any       | `close`                   | closed    | each follower fails and retires; `open` throws  |
 */
export class Followers {
  readonly #source: FollowerSource;
  readonly #budget = createRecentBudget();
  readonly #followers = new Map<string, Follower>();
  readonly #rounds: Rounds;
  #isClosed = false;

  constructor(source: FollowerSource, clock: Clock) {
    this.#source = source;
    this.#rounds = new Rounds(this.#followers, clock);
  }

  /** Adds the reader to the run's follower, as `Follower.open` does, and returns both. */
  open(
    name: RunName,
    reader: FollowerReader,
    since: number,
    atMs: number | null = null,
  ): { readonly follower: Follower; readonly opened: ReturnType<Follower["open"]> } {
    if (this.#isClosed) throw storeClosed();
    checkRunId(name.runId);
    checkCursor(since);
    const follower = this.#followers.get(nameKey(name)) ?? this.#add(name);
    return { follower, opened: follower.open(reader, since, atMs) };
  }

  /**
   * Finds the cursor this many events before the end of a run.
   * @throws RunEventsError `not_found`, `store_unavailable`
   */
  async tailStart({ ownerId, runId }: RunName, tail: number): Promise<number> {
    checkRunId(runId);
    const head = await this.#source.read({ ownerId, runId, since: 0, limit: 0, maxBytes: 1 });
    if (head === null) throw runNotFound();
    return tailStart(head.run.lastSequence, tail);
  }

  /** Ends all readers with `store_unavailable`, and every timer and subscription. Idempotent; opens nothing afterwards. */
  close(): void {
    this.#isClosed = true;
    for (const follower of this.#followers.values()) follower.fail(storeClosed());
  }

  #add(name: RunName): Follower {
    const key = nameKey(name);
    const follower = new Follower(name, this.#source, this.#budget, () => {
      // By then the run may have another follower.
      if (this.#followers.get(key) === follower) this.#followers.delete(key);
      if (this.#followers.size === 0) this.#rounds.stop();
    });
    this.#followers.set(key, follower);
    this.#rounds.start();
    return follower;
  }
}
