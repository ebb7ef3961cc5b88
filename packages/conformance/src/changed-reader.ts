import type { ChangedRuns, RunEventStore, RunRecord } from "@tm/run-events-core/store";
import { assert, assertEqual } from "./assert.ts";
import { OWNER } from "./read-log.ts";

/** The most answers until a store has nothing new to say, while nothing changes. */
const MOST_ANSWERS = 200;

/** A reader of an owner's changed runs, with what it knows of them. */
export class ChangedReader {
  readonly #topic: string | null;
  readonly #ownerId: string;
  readonly #runs = new Map<string, RunRecord>();
  #cursor: string | null = null;

  constructor(topic: string | null = null, ownerId: string = OWNER) {
    this.#topic = topic;
    this.#ownerId = ownerId;
  }

  /** What the reader knows, by the runs' ids. */
  get runs(): ReadonlyMap<string, RunRecord> {
    return this.#runs;
  }

  get cursor(): string | null {
    return this.#cursor;
  }

  /** Goes on after another cursor, as a reader does that comes back with the last one that it kept. */
  resume(cursor: string | null): void {
    this.#cursor = cursor;
  }

  /** Asks once. A cursor of this store has to be good. */
  async ask(store: RunEventStore, limit = 100): Promise<ChangedRuns> {
    const since = this.#cursor;
    const asked = { ownerId: this.#ownerId, topic: this.#topic, since, limit };
    const answer = await store.listChanged(asked);
    assertEqual(answer.isReset, since === null, `whether an answer after ${since} starts over`);
    assert(
      answer.runs.length + answer.gone.length <= limit,
      `an answer has at most ${limit} runs and ids`,
    );
    this.#cursor = answer.cursor;
    this.#take(answer);
    return answer;
  }

  /**
   * Asks until nothing is new: a change may come more than once, but not for ever.
   * @returns the ids of the runs that came, and of those that are gone, each once
   */
  async askAll(
    store: RunEventStore,
    limit = 100,
  ): Promise<{ readonly runs: readonly string[]; readonly gone: readonly string[] }> {
    const runs = new Set<string>();
    const gone = new Set<string>();
    for (let answers = 0; answers < MOST_ANSWERS; answers++) {
      const answer = await this.ask(store, limit);
      for (const { runId } of answer.runs) runs.add(runId);
      for (const runId of answer.gone) gone.add(runId);
      if (!answer.hasMore && answer.runs.length + answer.gone.length === 0) {
        return { runs: [...runs].toSorted(), gone: [...gone].toSorted() };
      }
    }
    throw new Error(
      `Expected that nothing is new after ${MOST_ANSWERS} answers without a change, got ${[...runs, ...gone].join(", ")} again.`,
    );
  }

  #take({ isReset, runs, gone, live }: ChangedRuns): void {
    if (isReset) this.#runs.clear();
    for (const runId of gone) this.#runs.delete(runId);
    for (const run of runs) {
      assert(!gone.includes(run.runId), `${run.runId} is not both there and gone`);
      this.#runs.set(run.runId, run);
    }
    const came = new Set([...runs.map(({ runId }) => runId), ...gone]);
    for (const { runId, ordinal, lastSequence } of live) {
      if (came.has(runId)) continue;
      const known = this.#runs.get(runId);
      assertEqual(
        [known?.ordinal, known?.lastSequence],
        [ordinal, lastSequence],
        `the ordinal and sequence that the reader has of the live run ${runId}`,
      );
    }
  }
}
