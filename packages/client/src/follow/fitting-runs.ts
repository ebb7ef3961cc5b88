import { encodeRunStart, MAX_RUNS } from "@tm/run-events-core/wire";
import type { FollowedRun } from "./followed-run.ts";

/** The longest `runs` of a request: 100 ids of 36 characters, each with a cursor and its time. Some proxies take an address of 8 KiB. */
const MOST_LENGTH = 7_000;

/** The first runs, as many as one stream may have. */
export function fittingRuns(runs: readonly FollowedRun[]): readonly FollowedRun[] {
  let length = 0;
  let count = 0;
  for (const run of runs) {
    length += encodeRunStart(run.start()).length + 1;
    if (count === MAX_RUNS || length > MOST_LENGTH) break;
    count += 1;
  }
  return runs.slice(0, count);
}
