import type { Child } from "./child.ts";
import { runIdOf } from "./append-writer.ts";
import { type Cost, measure } from "./rounds.ts";

/** How many runs each log has. */
export const GRID_RUNS = 256;

/** One cell of the grid. */
export interface GridLoad {
  /** How many callers wait for an append at any time. */
  readonly callers: number;
  /** How many events an append has. */
  readonly batch: number;
  /** Over how many runs each caller goes, in turn with the others: 1, or all of them. */
  readonly runs: number;
  /** For how long appends are begun, in milliseconds. */
  readonly millis: number;
}

/** A process that appends to a log of its own. */
export interface GridWriter {
  /** @returns what it took, with events as units */
  append(load: GridLoad): Promise<Cost>;
  /** How many events the log holds. @throws unless every run has its events without a gap. */
  count(): Promise<number> | number;
}

/** The writers of one store. */
export interface GridWriters {
  readonly ours: Child<GridWriter>;
  readonly bare: Child<GridWriter>;
}

/** A store that the grid is measured on. */
export interface GridStore {
  readonly name: string;
  /** What one bare append is. */
  readonly bare: string;
  /** Lends the writers, whose logs are on the same server or disk. */
  withWriters<Result>(use: (writers: GridWriters) => Promise<Result>): Promise<Result>;
}

/** Has the callers append, each one batch after the other. */
export async function appendInGrid(
  { callers, batch, runs, millis }: GridLoad,
  append: (runId: string, batch: number) => Promise<unknown>,
): Promise<Cost> {
  const deadline = performance.now() + millis;
  let appends = 0;
  async function call(caller: number): Promise<void> {
    for (let turn = caller; performance.now() < deadline; turn += callers) {
      await append(runIdOf(turn % runs), batch);
      appends += 1;
    }
  }
  const cost = await measure(0, async () => {
    await Promise.all(Array.from({ length: callers }, (_, caller) => call(caller)));
  });
  return { ...cost, units: appends * batch };
}
