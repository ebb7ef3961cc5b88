import { type AppendLoad, CALLERS } from "./append-writer.ts";
import type { Cost } from "./rounds.ts";

/** How many runs are free, and how many are claimed. */
export const LEASE_RUNS: number = CALLERS;

/** A process that appends to runs that nobody has, and to as many that it has itself, in one log. */
export interface LeaseWriter {
  free(load: AppendLoad): Promise<Cost>;
  /** Each append under its run's fence. */
  held(load: AppendLoad): Promise<Cost>;
}
