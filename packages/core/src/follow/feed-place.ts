import { withoutGroups } from "../rules/change-cursor.ts";
import { groupOf } from "../rules/live-groups.ts";
import type { RunRecord } from "../rules/run.ts";

/** Where the reader of a feed may come back to: the cursor of a page, without the runs of which the reader got later states. */
export class FeedPlace {
  readonly #cursor: string;
  readonly #ahead = new Set<number>();
  #text: string | null = null;

  constructor(cursor: string) {
    this.#cursor = cursor;
  }

  /** The page's cursor, without the groups of those runs: they come again. */
  get cursor(): string {
    this.#text ??= withoutGroups(this.#cursor, this.#ahead);
    return this.#text;
  }

  /** Notes that the reader gets a later state of the run than the page had. */
  pass(run: Pick<RunRecord, "ordinal">): void {
    const group = groupOf(run);
    if (this.#ahead.has(group)) return;
    this.#ahead.add(group);
    this.#text = null;
  }
}
