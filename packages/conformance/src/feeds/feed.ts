import { isTerminal } from "@tm/run-events-core";
import type { RunEventStore, RunRecord } from "@tm/run-events-core/store";
import { assert, assertEqual } from "../assert.ts";
import { ChangedReader } from "../changed-reader.ts";
import type { Actor } from "./actor.ts";
import type { FeedStep, PlannedFeed } from "./game.ts";
import type { Moments } from "./moments.ts";

/** A reader that drops and comes back, through any store object. */
export class Feed implements Actor {
  readonly #stores: readonly [RunEventStore, ...RunEventStore[]];
  readonly #plan: PlannedFeed;
  readonly #moments: Moments;
  readonly #reader: ChangedReader;
  /** The cursors since it began, the newest last. */
  #cursors: string[] = [];
  #at = 0;
  #calls = 0;
  /** When it had its first answer, from which on it has to get every end. */
  #began = 0;

  constructor(
    stores: readonly [RunEventStore, ...RunEventStore[]],
    plan: PlannedFeed,
    ownerId: string,
    moments: Moments,
  ) {
    this.#stores = stores;
    this.#plan = plan;
    this.#moments = moments;
    this.#reader = new ChangedReader(plan.topic, ownerId);
  }

  hasNext(): boolean {
    return this.#at < this.#plan.steps.length;
  }

  async next(): Promise<void> {
    const step = this.#plan.steps[this.#at];
    this.#at += 1;
    if (step !== undefined) await this.#take(step);
  }

  async #take(step: FeedStep): Promise<void> {
    switch (step.do) {
      case "ask":
        return this.#ask(step.limit);
      case "drop":
        this.#cursors = this.#cursors.slice(0, Math.max(1, this.#cursors.length - step.back));
        this.#reader.resume(this.#cursors.at(-1) ?? null);
        return;
      case "forget":
        this.#cursors = [];
        this.#reader.resume(null);
    }
  }

  async #ask(limit: number): Promise<void> {
    const { cursor, isReset } = await this.#reader.ask(this.#store(), limit);
    if (isReset) this.#began = this.#moments.next();
    this.#cursors.push(cursor);
  }

  #store(): RunEventStore {
    this.#calls += 1;
    return this.#stores[this.#calls % this.#stores.length] ?? this.#stores[0];
  }

  /**
   * Reads to the end, after all writers have ended, and checks that it has the last state of every run.
   * @param truth the runs that exist
   */
  async check(truth: readonly RunRecord[]): Promise<void> {
    await this.#ask(2);
    await this.#reader.askAll(this.#store(), 2);
    const { runs } = this.#reader;
    const { topic } = this.#plan;
    const asked = truth.filter((run) => topic === null || run.topic === topic);
    const ids = new Set(asked.map(({ runId }) => runId));
    for (const run of asked) {
      const { runId } = run;
      const known = runs.get(runId);
      const mayLack = isTerminal(run.runStatus) && this.#moments.endOf(runId) < this.#began;
      if (known === undefined && mayLack) continue;
      assert(known !== undefined, `the feed of ${topic ?? "all"} has ${runId}, ${run.runStatus}`);
      assertEqual(placeOf(known), placeOf(run), `the state of ${runId} in the feed of ${topic}`);
    }
    for (const runId of runs.keys()) {
      assert(ids.has(runId), `the feed of ${topic ?? "all"} knows that ${runId} is gone`);
    }
  }
}

function placeOf({ ordinal, lastSequence, runStatus }: RunRecord): object {
  return { ordinal, lastSequence, runStatus };
}
