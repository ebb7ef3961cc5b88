import { withLater } from "../rules/change-cursor.ts";
import { groupOf } from "../rules/live-groups.ts";
import type { RunRecord } from "../rules/run.ts";
import { MOST_WITNESSES } from "../rules/witnesses.ts";

/** Where the reader of a feed may come back to: the cursor of a page, without the runs of which the reader got later states. */
export class FeedPlace {
  readonly #cursor: string;
  readonly #ahead = new Set<number>();
  /** The newest runs that it did not have at the cursor: ids by their ordinals. */
  readonly #newest = new Map<number, string>();
  #text: string | null = null;

  constructor(cursor: string) {
    this.#cursor = cursor;
  }

  /** The page's cursor, without the groups of those runs: they come again. */
  get cursor(): string {
    this.#text ??= withLater(this.#cursor, this.#ahead, this.#newestFirst());
    return this.#text;
  }

  /**
   * Notes that the reader gets a later state of the run than the page had.
   * @param isNew whether the reader did not have the run at the cursor, and the run is live, or has departed since
   */
  pass({ runId, ordinal }: Pick<RunRecord, "runId" | "ordinal">, isNew: boolean): void {
    this.#ahead.add(groupOf({ ordinal }));
    if (isNew) this.#newest.set(ordinal, runId);
    if (this.#newest.size > MOST_WITNESSES) this.#newest.delete(Math.min(...this.#newest.keys()));
    this.#text = null;
  }

  #newestFirst(): readonly string[] {
    const newest = [...this.#newest].toSorted(([one], [other]) => other - one);
    return newest.map(([, runId]) => runId);
  }
}
