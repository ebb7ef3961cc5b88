import {
  checkTopic,
  describeValue,
  type FeedRequest,
  type RunStart,
} from "@tm/run-events-core/wire";
import { invalidRequest, parseLast, parseRuns, parseTopic, single } from "./query.ts";

/** The parameters that only a feed has. A list has a topic, too. */
const FEED_ONLY = ["have", "last"] as const;
/** The parameters that only a page of the list has. */
const LIST_ONLY = ["status", "cursor", "limit"] as const;

/**
 * Parses what one stream reads: `runs`, a feed, or both.
 * @throws RunEventsError `invalid_request`
 * @see clauses W47 and W48 in `WIRE.md`
 */
export function parseRunsAndFeed(query: URLSearchParams): {
  readonly runs: readonly RunStart[];
  readonly feed: FeedRequest | null;
} {
  const feed = parseFeed(query, [...FEED_ONLY, "topic"]);
  return { feed, runs: feed === null || query.has("runs") ? parseRuns(query) : [] };
}

/**
 * Parses what a poll of the whole list asks for; `null` for a page of the list.
 * @throws RunEventsError `invalid_request`
 * @see clause W48 in `WIRE.md`
 */
export function parseListFeed(query: URLSearchParams): FeedRequest | null {
  const feed = parseFeed(query, [...FEED_ONLY, "wait"]);
  const other = LIST_ONLY.find((name) => query.has(name));
  if (feed === null || other === undefined) return feed;
  throw invalidRequest(
    `Expected \`feed\` without \`${other}\`, got both. Leave out \`${other}\` for the whole list, or \`feed\` for a page.`,
  );
}

function parseFeed(query: URLSearchParams, only: readonly string[]): FeedRequest | null {
  const feed = single(query, "feed");
  if (feed === null) {
    const alone = only.find((name) => query.has(name));
    if (alone === undefined) return null;
    throw invalidRequest(
      `Expected \`${alone}\` only with \`feed\`, got it alone. Add feed=live, or leave \`${alone}\` out.`,
    );
  }
  if (feed !== "live")
    throw invalidRequest(`Expected \`feed\` to be live, got ${describeValue(feed)}.`);
  return {
    topic: checkTopic(parseTopic(query)),
    withLast: parseLast(query),
    have: single(query, "have") || null,
  };
}
