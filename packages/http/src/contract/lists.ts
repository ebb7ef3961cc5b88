import type { RunStatus } from "@tm/run-events-core";
import { checkTopic, describeValue, MAX_RUNS, STATUSES, requests } from "@tm/run-events-core/wire";
import type { encodeRunStart, Streams } from "@tm/run-events-core/wire";
import {
  type Asked,
  invalidRequest,
  type Parameter,
  queryParameter,
  textParameter,
} from "./parameter.ts";
import { CURSOR, schemaRef, TOPIC } from "./schema.ts";

/** A feed on a stream of many runs. */
export type FeedRequest = NonNullable<Parameters<Streams["openRuns"]>[0]["feed"]>;

type ListedStatus = RunStatus | "live";

const LISTED: readonly ListedStatus[] = ["live", ...STATUSES];

/** `null` for all. @see clause W14 in `WIRE.md` */
export const STATUS: Parameter<ListedStatus | null> = queryParameter(
  "status",
  "Only runs in this status; `live` is for all that have not finished (W34).",
  { anyOf: [schemaRef("RunStatus"), { const: "live" }] },
  (text) => {
    const status = text === null ? null : LISTED.find((one) => one === text);
    if (status !== undefined) return status;
    throw invalidRequest(
      `Expected \`status\` to be one of ${LISTED.join(", ")}, got ${describeValue(text)}.`,
    );
  },
);

/** The `nextCursor` of the page before; `null` for the newest runs. @see clause W14 in `WIRE.md` */
export const LIST_CURSOR: Parameter<number | null> = queryParameter(
  "cursor",
  "The `nextCursor` of the page before.",
  CURSOR,
  (text) => {
    const before = text === null ? null : requests.parseCursor(text);
    // A cursor that a number cannot hold exactly is no list's.
    if (text === null || (before !== null && String(before) === text)) return before;
    throw invalidRequest(
      `Expected \`cursor\` to be the \`nextCursor\` of a list, got ${describeValue(text)}.`,
    );
  },
);

/** In milliseconds. @see clause W17 in `WIRE.md` */
export const WAIT: Parameter<number> = queryParameter(
  "wait",
  "How many seconds the server may hold the answer while there is nothing newer.",
  { type: "number", minimum: 0, maximum: 30, default: 0 },
  (text) => {
    if (text === null) return 0;
    const seconds = /^\d{1,2}(\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
    if (seconds <= 30) return seconds * 1_000;
    throw invalidRequest(
      `Expected \`wait\` (\`waitSeconds\` in the client) to be a number of seconds from 0 to 30, got ${describeValue(text)}.`,
    );
  },
);

/** `null` for all. The log checks it. @see clause W34 in `WIRE.md` */
export const TOPIC_PARAMETER: Parameter<string | null> = textParameter(
  "topic",
  "Only runs of this topic (W34).",
  TOPIC,
);

const FEED = textParameter(
  "feed",
  "The caller's list: the live runs and the newest 50 of any status, as they are and as they change (W48).",
  { const: "live" },
);

const HAVE = textParameter("have", "The version of the list that the reader has (W48).");

const LAST: Parameter<boolean> = queryParameter(
  "last",
  "Whether each run comes with its last event (W48).",
  { type: "boolean", default: false },
  (text) => {
    if (text === null || text === "true" || text === "false") return text === "true";
    throw invalidRequest(`Expected \`last\` to be true or false, got ${describeValue(text)}.`);
  },
);

/** The parameters of a feed besides its `topic`. */
export const OF_FEED: readonly Parameter<unknown>[] = [FEED, HAVE, LAST];

/** An entry of `runs`. */
const RUN_ENTRY = "[A-Za-z0-9_-]{1,128}:-?\\d+(@[-0-9T:.Z]+)?";

/** `null` without it. @see clause W47 in `WIRE.md` */
const RUNS: Parameter<readonly Parameters<typeof encodeRunStart>[0][] | null> = queryParameter(
  "runs",
  "1 to 100 runs, each once. An entry is the id, a colon, and where to begin: the last sequence that the reader has, or `-` and a number of events before the end. The sequence may have `@` and the `createdAt` of its event (W47). Such as a:120,b:-50.",
  { type: "string", pattern: `^${RUN_ENTRY}(,${RUN_ENTRY}){0,${MAX_RUNS - 1}}$` },
  (text) => (text === null ? null : requests.parseRunStarts(text)),
);

/** The parameters of {@link parseRunsAndFeed}. */
export const RUNS_AND_FEED: readonly Parameter<unknown>[] = [RUNS, TOPIC_PARAMETER, ...OF_FEED];

/**
 * Parses what one stream reads: `runs`, a feed, or both.
 * @throws RunEventsError `invalid_request`
 * @see clauses W47 and W48 in `WIRE.md`
 */
export function parseRunsAndFeed(asked: Asked): {
  readonly runs: readonly Parameters<typeof encodeRunStart>[0][];
  readonly feed: FeedRequest | null;
} {
  const feed = parseFeed(asked, ["have", "last", "topic"]);
  const runs = RUNS.parse(asked);
  if (runs === null && feed === null)
    throw invalidRequest(
      "Expected `runs`, such as runs=a:120,b:0, or `feed`, got none. Name the runs, or ask for a feed.",
    );
  return { feed, runs: runs ?? [] };
}

/**
 * Parses what a poll of the whole list asks for; `null` for a page of the list.
 * @throws RunEventsError `invalid_request`
 * @see clause W48 in `WIRE.md`
 */
export function parseListFeed(asked: Asked): FeedRequest | null {
  const feed = parseFeed(asked, ["have", "last", "wait"]);
  const other = ["status", "cursor", "limit"].find((name) => asked.query.has(name));
  if (feed === null || other === undefined) return feed;
  throw invalidRequest(
    `Expected \`feed\` without \`${other}\`, got both. Leave out \`${other}\` for the whole list, or \`feed\` for a page.`,
  );
}

/** @param only the parameters that have a meaning only with `feed` */
function parseFeed(asked: Asked, only: readonly string[]): FeedRequest | null {
  const feed = FEED.parse(asked);
  if (feed === null) {
    const alone = only.find((name) => asked.query.has(name));
    if (alone === undefined) return null;
    throw invalidRequest(
      `Expected \`${alone}\` only with \`feed\`, got it alone. Add feed=live, or leave \`${alone}\` out.`,
    );
  }
  if (feed !== "live")
    throw invalidRequest(`Expected \`feed\` to be live, got ${describeValue(feed)}.`);
  return {
    topic: checkTopic(TOPIC_PARAMETER.parse(asked)),
    withLast: LAST.parse(asked),
    have: HAVE.parse(asked) || null,
  };
}
