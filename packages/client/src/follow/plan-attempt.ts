import { encodeRunStart, MAX_RUNS } from "@tm/run-events-core/wire";
import type { FollowedFeed } from "../feed/followed-feed.ts";
import { MOST_QUERY } from "../http/feed-calls.ts";
import type { Transport } from "./course.ts";
import type { FollowedRun } from "./followed-run.ts";

/** A run, or the owner's list, that a reader follows. */
export type Part = FollowedRun | FollowedFeed;

/** The plan for reading the parts of a set until the set changes, or the connection is lost. At most one request stays open. */
export interface AttemptPlan {
  /** The parts read by the stream; none without a stream. */
  readonly streamed: readonly Part[];
  /** The others, and whether the server holds their polls. */
  readonly polled: readonly { readonly part: Part; readonly isHeld: boolean }[];
}

/**
 * Plans the next attempt. Of what is polled, the server holds the polls of the newest run, or of the feed if there is no run.
 * @param mayHold whether a request may stay open
 */
export function planAttempt(
  parts: readonly Part[],
  transport: Transport,
  mayHold: boolean,
): AttemptPlan {
  const isStreamed = mayHold && transport === "stream";
  const runs = parts.filter((part): part is FollowedRun => part.key !== null);
  const feeds = parts.filter((part) => part.key === null);
  const streamed = isStreamed ? [...feeds, ...fittingRuns(runs)] : [];
  const held = mayHold && !isStreamed ? (runs.at(-1) ?? feeds[0]) : undefined;
  const polled = parts
    .filter((part) => !streamed.includes(part))
    .map((part) => ({ part, isHeld: part === held }));
  return { streamed, polled };
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
