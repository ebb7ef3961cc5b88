import type { Usage } from "./rounds.ts";

/** How much is done in a round, and how. */
export interface AppendLoad {
  /** Single events, or short runs. */
  readonly count: number;
  /** How many callers wait at any time. */
  readonly callers: number;
  /** Over how many runs the callers' appends are spread, each caller's on one of them. */
  readonly runs: number;
}

/** A process that appends to a log. */
export interface AppendWriter {
  usage(): Usage;
  append(load: AppendLoad): Promise<void>;
  /** Creates runs, each with a worker that appends one event; then it ends. */
  work(load: AppendLoad): Promise<void>;
  /** How many events the runs have that are appended to. */
  count(): Promise<number>;
}

/** How many runs there are, and the most callers. */
export const CALLERS = 64;
