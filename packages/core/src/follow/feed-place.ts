import { withoutGroups } from "../rules/change-cursor.ts";
import { groupOf } from "../rules/live-groups.ts";
import type { RunRecord } from "../rules/run.ts";

/** Where the reader of a feed may come back to: a page's cursor, and the runs of which it got later states. */
export class FeedPlace {
  readonly #cursor: string;
  readonly #ahead = new Set<number>();
  #text: string | null = null;

  constructor(cursor: string) {
    this.#cursor = cursor;
  }

  /** The cursor without the states of those runs. */
  get cursor(): string {
    this.#text ??= withoutGroups(this.#cursor, this.#ahead);
    return this.#text;
  }

  /** The reader gets a later state of the run. */
  pass(run: Pick<RunRecord, "ordinal">): void {
    const group = groupOf(run);
    if (this.#ahead.has(group)) return;
    this.#ahead.add(group);
    this.#text = null;
  }
}
