import { isTerminal, type RunEvent, type RunSnapshot } from "@tm/run-events-core";
import type { FeedFrame } from "../follow/frame.ts";
import { covers, type FeedWant } from "./feed-want.ts";

/** A run of a list, with its last event. It stays the same object while nothing in it has changed. */
export interface ListedRun extends RunSnapshot {
  /** The run's last event; `null` if it was not asked for, or is not known. */
  readonly last: RunEvent | null;
}

/** The most ended runs that a feed keeps. Once there are more, it keeps half as many: the last to end. */
const MOST_ENDED = 200;

/**
 * The runs that a feed has sent, each in its last state. While a feed starts over, the runs from before stay until the whole new list has come.
 * @see clause W48 in `WIRE.md` of `@tm/run-events-http`
 */
export class FeedList {
  #runs = new Map<string, ListedRun>();
  /** The runs that came since the feed began to start over; `null` when it has sent them all. */
  #next: Map<string, ListedRun> | null = null;
  /** The feed whose whole list it has; `null` before that has come. */
  #feed: FeedWant | null = null;
  #version: string | null = null;
  #more = false;
  #epoch = 0;
  readonly #readers = new Set<Set<string>>();

  /** By id. Ended runs are in the order in which they ended. */
  get runs(): ReadonlyMap<string, ListedRun> {
    return this.#runs;
  }

  /** Whether there are older live runs. */
  get more(): boolean {
    return this.#more;
  }

  /** The number of times that it has started over, or lost runs that had ended: they were removed, have left the list, or were too many. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Whether it has all runs of a feed, and the feed does not start over. */
  get isWhole(): boolean {
    return this.#feed !== null && this.#next === null;
  }

  /** Whether it has the live runs that are wanted. */
  has(want: FeedWant): boolean {
    return this.#feed !== null && covers(this.#feed, want);
  }

  /** The version from which this feed can go on; `null` if it has to start over. */
  versionFor(feed: FeedWant): string | null {
    return this.isWhole && feed === this.#feed ? this.#version : null;
  }

  /**
   * Collects the live runs that go while the list is read by pages, because an older page may still have them.
   * @returns their ids so far, and what ends the collection
   */
  collectGone(): { readonly gone: ReadonlySet<string>; readonly end: () => void } {
    const gone = new Set<string>();
    this.#readers.add(gone);
    return { gone, end: () => void this.#readers.delete(gone) };
  }

  /** @param feed the feed that has sent the frame */
  take(frame: FeedFrame, feed: FeedWant): void {
    if (frame.type === "feed_started") {
      if (!frame.same) this.#next = new Map();
    } else if (frame.type === "feed_version") this.#end(frame.version, frame.more, feed);
    else {
      // The list is no longer at its version, and the server's may return to it, if a run that came is removed meanwhile.
      this.#version = null;
      if (frame.type === "run") this.#put(frame.run, frame.last ?? null);
      else this.#remove(frame.runId);
    }
  }

  #remove(runId: string): void {
    const known = this.#runs.get(runId);
    this.#runs.delete(runId);
    this.#next?.delete(runId);
    // A run that had ended may only be too old for the feed: the list says which. A live one is no longer in the list in either case.
    if (known !== undefined && isTerminal(known.runStatus)) this.#epoch += 1;
    else for (const gone of this.#readers) gone.add(runId);
  }

  #put(run: RunSnapshot, last: RunEvent | null): void {
    const { runId, runStatus } = run;
    const listed = keepSame(this.#runs.get(runId), run, last);
    for (const runs of [this.#runs, this.#next]) {
      // The runs that ended last are the last.
      if (isTerminal(runStatus)) runs?.delete(runId);
      runs?.set(runId, listed);
    }
  }

  #end(version: string, more: boolean, feed: FeedWant): void {
    if (this.#next !== null) {
      // A new list has the newest runs first.
      this.#runs = new Map([...this.#next].toReversed());
      this.#next = null;
      this.#feed = feed;
      this.#epoch += 1;
    }
    [this.#version, this.#more] = [version, more];
    const ended = [...this.#runs.values()].filter(({ runStatus }) => isTerminal(runStatus));
    if (ended.length <= MOST_ENDED) return;
    for (const { runId } of ended.slice(0, -MOST_ENDED / 2)) this.#runs.delete(runId);
    this.#epoch += 1;
  }
}

/** The run as it is now: the known one, if nothing in it has changed. */
export function keepSame(
  known: ListedRun | undefined,
  run: RunSnapshot,
  last: RunEvent | null,
): ListedRun {
  const listed = { ...run, last };
  return JSON.stringify(known) === JSON.stringify(listed) && known !== undefined ? known : listed;
}
