import type { RunName } from "../src/rules/head.ts";

/** The ids of runs, for tests whose runs are of one owner. */
export function idsOf(runs: readonly RunName[]): readonly string[] {
  return runs.map(({ runId }) => runId);
}
