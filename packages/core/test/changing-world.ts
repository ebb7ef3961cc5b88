import { expect } from "vitest";
import type { ChangedRuns, DeparturesPage } from "../src/rules/changed.ts";
import { isTerminal } from "../src/rules/lifecycle.ts";
import type { RunRecord } from "../src/rules/run.ts";
import type { ChangeMoves } from "../src/store/changed-work.ts";
import { runRecord } from "./run-record.ts";

/** A store that changes between the reads of one answer. */
export class World {
  runs: Map<string, RunRecord> = new Map();
  /** Each with its time. */
  departures: (readonly [runId: string, atMs: number])[] = [];
  nowMs = 0;
  /** The time of the last change. */
  changedAtMs = 0;
  #ordinal = 0;

  /** @returns what restores the world as it is now; time goes on */
  backUp(): () => void {
    const [runs, departures, ordinal] = [new Map(this.runs), [...this.departures], this.#ordinal];
    return () => {
      this.runs = new Map(runs);
      this.departures = [...departures];
      this.#ordinal = ordinal;
    };
  }

  /** Whether a run of this id was removed, and no other has it. */
  hasLeft(runId: string): boolean {
    return !this.runs.has(runId) && this.departures.some(([one]) => one === runId);
  }

  change([what, run]: readonly [string, number]): void {
    const runId = `run-${run}`;
    const head = this.runs.get(runId);
    const updatedAtMs = ++this.changedAtMs;
    if (head === undefined) {
      this.#ordinal += 1;
      // Some share a group.
      const ordinal = this.#ordinal % 2 === 0 ? this.#ordinal : 256 * this.#ordinal;
      this.runs.set(
        runId,
        runRecord({
          runId,
          ownerId: "ada",
          ordinal,
          runStatus: "queued",
          lastSequence: 0,
          updatedAtMs,
        }),
      );
      return;
    }
    const isOver = isTerminal(head.runStatus);
    const lastSequence = head.lastSequence + 1;
    if (isOver && what === "delete") this.runs.delete(runId);
    else if (isOver) return;
    else if (what === "append")
      this.runs.set(runId, { ...head, lastSequence, updatedAtMs, runStatus: "running" });
    else this.runs.set(runId, { ...head, lastSequence, updatedAtMs, runStatus: "completed" });
    if (what !== "append") this.departures.push([runId, updatedAtMs]);
  }

  /** @param between changes something, before each read */
  moves(between: () => void): ChangeMoves {
    const read = async <T>(answer: () => T): Promise<T> => {
      between();
      return answer();
    };
    return {
      selectDepartures: ({ since, limit }) =>
        read((): DeparturesPage => {
          const { departures, nowMs } = this;
          const markOf = (count: number): string => `${count}_${departures[count - 1]?.[1] ?? 0}`;
          const from = Number(since?.split("_")[0] ?? departures.length);
          const rest = departures.slice(from);
          return {
            isKnown: since === null || since === markOf(from),
            departures: rest
              .slice(0, limit)
              .map(([runId], at) => ({ runId, mark: markOf(from + at + 1) })),
            hasMore: rest.length > limit,
            mark: markOf(departures.length),
            nowMs,
          };
        }),
      selectLive: () =>
        read(() => [...this.runs.values()].filter(({ runStatus }) => !isTerminal(runStatus))),
      selectHeads: (runIds) => read(() => runIds.flatMap((runId) => this.runs.get(runId) ?? [])),
    };
  }
}

/** What a reader knows. */
export class Reader {
  readonly runs: Map<string, RunRecord> = new Map();
  cursor: string | null = null;

  take({ isReset, runs, gone, cursor }: ChangedRuns): void {
    if (isReset) this.runs.clear();
    for (const runId of gone) this.runs.delete(runId);
    for (const run of runs) this.runs.set(run.runId, run);
    this.cursor = cursor;
  }
}

/** Asks until nothing is new. Then the reader has every live run, and each other one that it knows as it is. */
export async function expectAll(
  world: World,
  reader: Reader,
  ask: () => Promise<ChangedRuns>,
): Promise<void> {
  for (let answers = 0, isQuiet = false; !isQuiet; answers++) {
    expect(answers).toBeLessThan(100);
    const { runs, gone, hasMore } = await ask();
    isQuiet = runs.length + gone.length === 0 && !hasMore;
  }
  for (const [runId, run] of reader.runs) expect(run).toEqual(world.runs.get(runId));
  for (const run of world.runs.values()) {
    if (!isTerminal(run.runStatus)) expect(reader.runs.get(run.runId)).toEqual(run);
  }
}
