import { checkCursor } from "../rules/cursor.ts";
import { nameKey, type RunName } from "../rules/head.ts";
import { checkAt, type ReaderStart } from "../rules/history.ts";
import { checkRunId } from "../rules/run-id.ts";
import type { Clock } from "../time/clock.ts";
import { Followed } from "./followed.ts";
import { Follower, type FollowerSource } from "./follower.ts";
import { MOST_KEPT_BYTES } from "./log-end.ts";
import type { FollowerReader } from "./reader-set.ts";

/** The followers of one process: one for each run that has readers, however many. */
export class Followers extends Followed<Follower> {
  readonly #source: FollowerSource;
  readonly #budget = { left: MOST_KEPT_BYTES };

  constructor(source: FollowerSource, clock: Clock) {
    super(clock);
    this.#source = source;
  }

  /** Adds the reader to the run's follower, as `Follower.open` does, and returns both. */
  open(
    name: RunName,
    reader: FollowerReader,
    { since = 0, at, tail }: ReaderStart,
  ): { readonly follower: Follower; readonly opened: ReturnType<Follower["open"]> } {
    checkRunId(name.runId);
    checkCursor(since);
    const atMs = checkAt(at, { since, tail });
    const follower = this.share(
      nameKey(name),
      (onOver) => new Follower(name, this.#source, this.#budget, onOver),
    );
    return { follower, opened: follower.open(reader, since, atMs, tail) };
  }
}
