import type { RunEventsError } from "@tm/run-events-core";
import type { FollowedFeed } from "../feed/followed-feed.ts";
import type { FollowedRun } from "./followed-run.ts";

/** What one connection follows: a set of runs, and perhaps the owner's feed. */
export class FollowedSet {
  readonly #runs = new Map<string, FollowedRun>();
  #feed: FollowedFeed | null = null;

  get runs(): readonly FollowedRun[] {
    return [...this.#runs.values()];
  }

  get feed(): FollowedFeed | null {
    return this.#feed;
  }

  get isEmpty(): boolean {
    return this.#runs.size === 0 && this.#feed === null;
  }

  /** Adds a run in place of the same one. */
  addRun(run: FollowedRun): void {
    this.#runs.get(run.runId)?.stop();
    this.#runs.set(run.runId, run);
  }

  /** Adds the feed in place of the one before. */
  addFeed(feed: FollowedFeed): void {
    this.#feed?.stop();
    this.#feed = feed;
  }

  /** @returns whether it was in the set */
  remove(part: FollowedRun | FollowedFeed): boolean {
    if (part === this.#feed) {
      this.#feed = null;
      return true;
    }
    if (!("runId" in part) || this.#runs.get(part.runId) !== part) return false;
    return this.#runs.delete(part.runId);
  }

  /** Shows for each of them that it waits for the next attempt. */
  wait(error: RunEventsError): void {
    for (const part of [...this.runs, this.#feed]) part?.update({ state: "paused", error });
  }

  /** Removes all of them. Their listeners are not called any more. */
  stop(): void {
    for (const part of this.#clear()) part.stop();
  }

  /** Removes all of them, as failed. */
  fail(error: unknown): void {
    for (const part of this.#clear()) part.fail(error);
  }

  #clear(): readonly (FollowedRun | FollowedFeed)[] {
    const parts = [...this.runs, ...(this.#feed === null ? [] : [this.#feed])];
    this.#runs.clear();
    this.#feed = null;
    return parts;
  }
}
