import {
  checkChangeCursor,
  checkTopic,
  describeValue,
  type FeedRequest,
  type RunStart,
} from "@tm/run-events-core/wire";
import { invalidRequest, parseLast, parseRuns, parseTopic, single } from "./query.ts";

/** The parameters that only a feed has. */
const FEED_ONLY = ["topic", "last", "changedSince"] as const;

/**
 * Parses what one stream reads: `runs`, a feed, or both.
 * @throws RunEventsError `invalid_request`, `invalid_cursor`
 * @see clauses W47 and W48 in `WIRE.md`
 */
export function parseRunsAndFeed(query: URLSearchParams): {
  readonly runs: readonly RunStart[];
  readonly feed: FeedRequest | null;
} {
  const feed = parseFeed(query);
  return { feed, runs: feed === null || query.has("runs") ? parseRuns(query) : [] };
}

function parseFeed(query: URLSearchParams): FeedRequest | null {
  const begin = single(query, "feed");
  if (begin === null) {
    const alone = FEED_ONLY.find((name) => query.has(name));
    if (alone === undefined) return null;
    throw invalidRequest(
      `Expected \`${alone}\` only with \`feed\`, got it alone. Add feed=live or feed=all, or leave \`${alone}\` out.`,
    );
  }
  if (begin !== "live" && begin !== "all")
    throw invalidRequest(`Expected \`feed\` to be live or all, got ${describeValue(begin)}.`);
  return {
    begin,
    topic: checkTopic(parseTopic(query)),
    withLast: parseLast(query),
    since: checkChangeCursor(single(query, "changedSince") || null),
  };
}
