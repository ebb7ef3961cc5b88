import { checkTopic, encodeRunStart, RUNS_PATH } from "@tm/run-events-core/wire";
import { fits, isFlag, isText, type Shape } from "./fits.ts";
import { ANSWER_SECONDS, type Call, EVENT, RUN, WAIT_SECONDS } from "./run-calls.ts";

/** The shape of a run of a feed. @see clause W48 in `WIRE.md` of `@tm/run-events-http` */
export const FEED_RUN: Shape = { ...RUN, runId: isText, createdAt: isText };

/** The runs of a feed, and the version that the reader has. @see clause W48 in `WIRE.md` */
export interface FeedQuery {
  readonly topic: string | null;
  readonly last: boolean;
  readonly version: string | null;
}

/** The longest query of a stream: 100 ids of 36 characters, each with a cursor and its time. Some proxies take an address of 8 KiB. */
export const MOST_QUERY = 7_000;

const LIST: Shape = { version: isText };
const WHOLE: Shape = {
  runs: [FEED_RUN],
  more: isFlag,
  last: (events) => Object.values(Object(events)).every((event) => fits(event, EVENT)),
};

/**
 * A stream of runs, of the feed, or of both.
 * @param starts runs whose ids were checked
 * @throws RunEventsError `invalid_request` for a topic that no run can have
 * @see clauses W47 and W48 in `WIRE.md`
 */
export function runsStreamCall(
  starts: readonly Parameters<typeof encodeRunStart>[0][],
  feed: FeedQuery | null,
): Call {
  const runs = starts.length === 0 ? [] : [`runs=${starts.map(encodeRunStart).join()}`];
  const parts = feed === null ? runs : [...runs, ...partsOf(feed)];
  return { path: `${RUNS_PATH}/stream?${parts.join("&")}` };
}

/**
 * The list. The answer is `same` if it still has the version that the reader has.
 * @throws RunEventsError `invalid_request` for a topic that no run can have
 * @see clause W48 in `WIRE.md`
 */
export function listCall(feed: FeedQuery, isHeld: boolean): Call {
  const wait = isHeld ? WAIT_SECONDS : 0;
  return {
    path: `${RUNS_PATH}?${[...partsOf(feed), `wait=${wait}`].join("&")}`,
    seconds: ANSWER_SECONDS + wait,
    answer: LIST,
    read(json) {
      const { same } = json as { readonly same?: unknown };
      if (same !== true && !fits(json, WHOLE)) throw new TypeError("Malformed list.");
      return json;
    },
  };
}

function partsOf({ topic, last, version }: FeedQuery): readonly string[] {
  const checked = checkTopic(topic);
  return [
    "feed=live",
    ...(checked === null ? [] : [`topic=${encodeURIComponent(checked)}`]),
    ...(last ? ["last=true"] : []),
    ...(version === null ? [] : [`have=${encodeURIComponent(version)}`]),
  ];
}
