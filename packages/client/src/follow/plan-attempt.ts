import { encodeRunStart, MAX_RUNS } from "@tm/run-events-core/wire";
import { MOST_QUERY } from "../http/feed-calls.ts";
import type { FollowedRun } from "./followed-run.ts";
import type { FollowedSet } from "./followed-set.ts";
import type { Route, Transport } from "./route.ts";

/** How the parts of a set are read until the set changes, or the connection is lost. At most one request stays open. */
export interface AttemptPlan {
  /** Whether there is one run, and nothing else. */
  readonly isAlone: boolean;
  /** Whether there is a stream of many runs. It has the feed, too. */
  readonly isStreamed: boolean;
  /** The runs of that stream. */
  readonly streamed: readonly FollowedRun[];
  /** The other runs, each with requests of its own. */
  readonly alone: readonly { readonly run: FollowedRun; readonly transport: Transport }[];
  /** Whether the server holds the polls of the feed. */
  readonly isFeedHeld: boolean;
}

/**
 * Plans the next attempt. A run that is alone has the stream of one run, or its polls. Of several runs that are polled, the server holds the
 * polls of the newest one.
 * @param mayHold whether a request may stay open
 */
export function planAttempt(
  { runs, feed }: Pick<FollowedSet, "runs" | "feed">,
  { best, transport }: Route,
  mayHold: boolean,
): AttemptPlan {
  const isAlone = runs.length === 1 && feed === null;
  const isStreamed = mayHold && transport === "stream" && !isAlone;
  const streamed = isStreamed ? fittingRuns(runs) : [];
  const held = isAlone ? best : "long_poll";
  const newest = mayHold && !isStreamed ? runs.at(-1) : undefined;
  const alone = runs
    .slice(streamed.length)
    .map((run) => ({ run, transport: run === newest ? held : ("poll" as const) }));
  return { isAlone, isStreamed, streamed, alone, isFeedHeld: mayHold && runs.length === 0 };
}

/** The first runs, as many as one stream may have. */
function fittingRuns(runs: readonly FollowedRun[]): readonly FollowedRun[] {
  let length = 0;
  let count = 0;
  for (const run of runs) {
    length += encodeRunStart(run.start()).length + 1;
    if (count === MAX_RUNS || length > MOST_QUERY) break;
    count += 1;
  }
  return runs.slice(0, count);
}
