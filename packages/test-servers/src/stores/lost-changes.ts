import { type RunEvents, RunEventsError } from "@tm/run-events-core";
import type { ChangedRuns, RunRecord } from "@tm/run-events-core/store";
import { setImmediate } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { waitUntil } from "../wait-until.ts";
import { insist } from "./insist.ts";

/** The result of a reader of changed runs that has every live run, and each other run that it knows, as they are now. */
export const AS_IT_IS = "every run as it is";
/** The result of a reader that had nothing of what was lost, if its store cannot know that. */
export const STARTED_OVER = "the live runs, from the start";

/** What the runs of an owner lose, for each owner. */
export const WHAT_IS_LOST = ["ends", "a creation", "a creation and an end", "a state"] as const;

/** What one owner's runs lose. Afterwards other events and runs take the sequences, keys and numbers of those that were lost. */
interface Loss {
  readonly name: (typeof WHAT_IS_LOST)[number];
  readonly before: readonly (readonly [runId: string, eventType: string | null])[];
  readonly lost: Loss["before"];
  readonly after: Loss["before"];
}

const LOSSES: readonly Loss[] = [
  {
    name: "ends",
    before: ["a", "b", "c", "x1", "x2"].map((runId) => [runId, null]),
    lost: ["x1", "x2"].map((runId) => [runId, "RUN_COMPLETED"]),
    after: ["a", "b"].map((runId) => [runId, "RUN_COMPLETED"]),
  },
  {
    name: "a creation",
    before: [["a", null]],
    lost: [["x", null]],
    after: [["y", null]],
  },
  {
    name: "a creation and an end",
    before: ["a", "b"].map((runId) => [runId, null]),
    lost: [
      ["x", null],
      ["b", "RUN_COMPLETED"],
    ],
    after: [
      ["y", null],
      ["a", "RUN_COMPLETED"],
      ["y", "RUN_COMPLETED"],
    ],
  },
  {
    name: "a state",
    before: [["a", null]],
    lost: [["a", "INPUT_REQUESTED"]],
    after: [["a", "NOTE"]],
  },
];

/** The readers of one owner's changed runs. */
interface Readers {
  readonly loss: Loss;
  readonly behind: ChangesReader;
  readonly ahead: ChangesReader;
  readonly live: ChangesReader;
}

/** Readers of changed runs while a store loses what came last: some have read what is lost, and some have not. */
export class LostChanges {
  readonly #current: () => RunEvents;
  readonly #stop = new AbortController();
  readonly #readers: readonly Readers[];
  readonly #following: Promise<void>[] = [];

  constructor(current: () => RunEvents) {
    this.#current = current;
    this.#readers = LOSSES.map((loss) => {
      const reader = (): ChangesReader => new ChangesReader(current, `owner of ${loss.name}`);
      return { loss, behind: reader(), ahead: reader(), live: reader() };
    });
  }

  /** Lets all readers read what will stay. */
  async begin(): Promise<void> {
    await this.#make("before");
    for (const { behind, ahead, live } of this.#readers) {
      for (const reader of [behind, ahead]) await reader.askAll();
      this.#following.push(live.follow(this.#stop.signal));
      await live.untilRight();
    }
  }

  /** Lets some of the readers read what will be lost. */
  async getAhead(): Promise<void> {
    await this.#make("lost");
    for (const { ahead, live } of this.#readers) {
      await ahead.askAll();
      await live.untilRight();
    }
  }

  /** Lets all readers read again after the loss. @returns what each has in the end */
  async comeBack(): Promise<Readonly<Record<string, string>>> {
    await this.#make("after");
    const results: Record<string, string> = {};
    for (const { loss, behind, ahead, live } of this.#readers) {
      await ahead.askAll();
      await behind.askAll();
      // A live reader reads again by itself.
      await live.untilRight().catch(() => {});
      const hasLost = `a reader of changed runs that had ${loss.name}`;
      // These two readers may start over.
      results[`${hasLost}, and polls`] = await ahead.has();
      results[`${hasLost}, live`] = await live.has();
      results[`${hasLost} still to come`] = await behind.hasAtLast();
    }
    this.#stop.abort();
    await Promise.all(this.#following);
    return results;
  }

  async #make(when: "before" | "lost" | "after"): Promise<void> {
    for (const { loss, live } of this.#readers) {
      for (const [name, eventType] of loss[when]) {
        const runId = `${live.ownerId} ${name}`.replaceAll(" ", "_");
        const key = { idempotencyKey: `${when} ${eventType}` };
        if (eventType === null) {
          await insist(() => this.#current().create({ runId, ownerId: live.ownerId }));
        } else await insist(() => this.#current().append(runId, [{ eventType }], key));
      }
    }
  }
}

/** A reader of an owner's changed runs, with what it knows of them. */
class ChangesReader {
  readonly ownerId: string;
  readonly #current: () => RunEvents;
  readonly #runs = new Map<string, RunRecord>();
  #cursor: string | null = null;
  #starts = 0;

  constructor(current: () => RunEvents, ownerId: string) {
    this.#current = current;
    this.ownerId = ownerId;
  }

  /** Polls until an answer has nothing new. */
  async askAll(): Promise<void> {
    for (;;) {
      const query = { ownerId: this.ownerId, since: this.#cursor, limit: 2 };
      const answer = await insist(() => this.#current().log.listChanged(query));
      this.#take(answer);
      if (!answer.hasMore && answer.runs.length + answer.gone.length === 0) return;
    }
  }

  /** Follows, and comes back with its cursor after each failure that may pass. */
  async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const options = { ownerId: this.ownerId, since: this.#cursor, signal };
        for await (const page of this.#current().log.changes(options)) this.#take(page);
      } catch (error) {
        const isAway = error instanceof RunEventsError && error.code === "store_unavailable";
        if (!signal.aborted && !isAway) throw error;
      }
      await setImmediate();
    }
  }

  async untilRight(): Promise<void> {
    await waitUntil(`the reader of ${this.ownerId} has every run`, () => this.#isRight());
  }

  /** What it has now. */
  async has(): Promise<string> {
    return (await this.#isRight()) ? AS_IT_IS : "other runs than there are";
  }

  /** What it has now, and whether it had to start over for it. */
  async hasAtLast(): Promise<string> {
    const has = await this.has();
    return has === AS_IT_IS && this.#starts > 1 ? STARTED_OVER : has;
  }

  #take({
    isReset,
    runs,
    gone,
    cursor,
  }: Pick<ChangedRuns, "isReset" | "runs" | "gone" | "cursor">): void {
    if (isReset) this.#starts += 1;
    if (isReset) this.#runs.clear();
    for (const runId of gone) this.#runs.delete(runId);
    for (const run of runs) this.#runs.set(run.runId, run);
    this.#cursor = cursor;
  }

  async #isRight(): Promise<boolean> {
    const list = { ownerId: this.ownerId, topic: null, runStatus: null, before: null, limit: 50 };
    const { runs } = await insist(() => this.#current().log.listRuns(list));
    const live = runs.filter(({ finishedAtMs }) => finishedAtMs === null);
    const now = new Map(runs.map((run) => [run.runId, run]));
    return (
      live.every(({ runId }) => this.#runs.has(runId)) &&
      [...this.#runs].every(([runId, run]) => isDeepStrictEqual(run, now.get(runId)))
    );
  }
}
