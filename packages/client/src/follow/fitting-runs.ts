import { encodeRunStart, MAX_RUNS } from "@tm/run-events-core/wire";
import { MOST_QUERY } from "../http/feed-calls.ts";
import type { FollowedRun } from "./followed-run.ts";

/** The first runs, as many as one stream may have. */
export function fittingRuns(runs: readonly FollowedRun[]): readonly FollowedRun[] {
  let length = 0;
  let count = 0;
  for (const run of runs) {
    length += encodeRunStart(run.start()).length + 1;
    if (count === MAX_RUNS || length > MOST_QUERY) break;
    count += 1;
  }
  return runs.slice(0, count);
}
