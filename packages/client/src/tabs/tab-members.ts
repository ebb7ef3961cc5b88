import type { ServerOptions } from "../http/server.ts";
import type { FeedMember } from "./feed-member.ts";
import type { RunCell } from "./run-cell.ts";
import type { FeedMessage, Place, RunMessage, Wanted } from "./tab-messages.ts";
import { TabMember } from "./tab-member.ts";

/** What has to happen after a message. `ask`: the tab with the connection has to be asked. `apart`: this tab reads the run itself. */
export type Accepted = "done" | "ask" | "apart";

/** What a tab shows: runs, and perhaps lists of the owner's runs. */
export class TabMembers {
  readonly #runs = new Set<TabMember>();
  #feed: FeedMember | null = null;
  /** The runs that this tab reads for itself: one has an event that does not fit into a message, another has changed its history. */
  readonly #apart = new Set<string | null>();

  /** Whether it shows nothing. */
  get isEmpty(): boolean {
    return this.#runs.size === 0 && this.#feed === null;
  }

  /** Whether all that it shows is over. */
  get isOver(): boolean {
    return [...this.#runs, this.#feed].every((member) => member?.isOver !== false);
  }

  get feed(): FeedMember | null {
    return this.#feed;
  }

  /**
   * What this tab has of a run.
   * @param isApart whether to look among the runs that this tab reads for itself, or among the others
   */
  cellOf(runId: string, isApart: boolean, isAlone: boolean): RunCell | undefined {
    if (isApart !== (isAlone || this.#apart.has(runId))) return undefined;
    return [...this.#runs].find((member) => member.runId === runId)?.cell;
  }

  /** Adds a run, until the signal aborts. */
  addRun(options: ServerOptions, runId: string, cell: RunCell, signal: AbortSignal): TabMember {
    const member = new TabMember(options, runId, cell, signal);
    this.#runs.add(member);
    signal.addEventListener("abort", () => this.#runs.delete(member));
    return member;
  }

  /** Adds the feed, until the signal aborts, in place of the one before. */
  addFeed(member: FeedMember, signal: AbortSignal): void {
    this.#feed = member;
    signal.addEventListener("abort", () => {
      if (this.#feed === member) this.#feed = null;
    });
  }

  /** This tab reads the run itself from now on; with `null` the feed. */
  readApart(runId: string | null): void {
    this.#apart.add(runId);
  }

  /**
   * What has not got to the end, and where this tab is.
   * @param isApart whether to return what this tab reads for itself, or the rest
   */
  wanted(isApart: boolean, isAlone: boolean): Wanted {
    const runs = new Map<string, Place>();
    const isHere = (runId: string | null): boolean =>
      isApart === (isAlone || this.#apart.has(runId));
    for (const { runId, cell, isOver } of this.#runs) {
      if (isOver || !isHere(runId)) continue;
      const place = { since: cell.cursor(), at: cell.at() };
      if (place.since < (runs.get(runId)?.since ?? Infinity)) runs.set(runId, place);
    }
    return { runs, feed: isHere(null) ? (this.#feed?.wanted() ?? null) : null };
  }

  /** @param isApart whether the message is of what this tab reads for itself */
  accept(message: RunMessage | FeedMessage, isApart: boolean, isAlone: boolean): Accepted {
    const runId = message.type === "run" ? message.runId : null;
    if (isApart !== (isAlone || this.#apart.has(runId))) return "done";
    if (message.type === "feed") return this.#feed?.accept(message) === false ? "ask" : "done";
    let accepted: Accepted = "done";
    for (const member of this.#runs) {
      if (member.runId !== runId) continue;
      if (!isApart && member.isStrange(message)) {
        // Each tab asks the server whether its own events are still there.
        this.#apart.add(runId);
        return "apart";
      }
      // This tab joined after these events. It asks once for the earlier ones.
      if (!member.accept(message)) accepted = "ask";
    }
    return accepted;
  }

  /** Shows that nothing is read for now. */
  pause(): void {
    for (const member of this.#runs) member.pause();
    this.#feed?.pause();
  }
}
