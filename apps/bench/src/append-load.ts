import type { Usage } from "./rounds.ts";

/** The size of a round. */
export interface AppendLoad {
  /** Single events, or short runs. */
  readonly count: number;
  /** The number of callers that wait at any time. */
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
  /** The number of events in the runs that are appended to. */
  count(): Promise<number>;
}

/** The number of runs, and the most callers. */
export const CALLERS = 64;
