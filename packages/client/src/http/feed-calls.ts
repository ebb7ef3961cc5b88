import type { RunEvent, RunSnapshot } from "@tm/run-events-core";
import { checkTopic, encodeRunStart, RUNS_PATH, type RunStart } from "@tm/run-events-core/wire";
import { fits, isText, type Shape } from "./fits.ts";
import { ANSWER_SECONDS, type Call, EVENT, RUN, WAIT_SECONDS } from "./run-calls.ts";

/** The shape of a run of a feed. @see clause W48 in `WIRE.md` of `@tm/run-events-http` */
export const FEED_RUN: Shape = { ...RUN, runId: isText, createdAt: isText };

/** Which runs a feed has, and which version of it the reader has. @see clause W48 in `WIRE.md` */
export interface FeedQuery {
  readonly topic: string | null;
  readonly last: boolean;
  readonly version: string | null;
}

/** The longest query of a stream: 100 ids of 36 characters, each with a cursor and its time. Some proxies take an address of 8 KiB. */
export const MOST_QUERY = 7_000;

export const isFlag = (value: unknown): boolean => typeof value === "boolean";
const LIST: Shape = { version: isText };
const WHOLE: Shape = { ...LIST, runs: Array.isArray, more: isFlag };

/**
 * A stream of runs, of the feed, or of both.
 * @param starts runs whose ids were checked
 * @throws RunEventsError `invalid_request` for a topic that no run can have
 * @see clauses W47 and W48 in `WIRE.md`
 */
export function runsStreamCall(starts: readonly RunStart[], feed: FeedQuery | null): Call {
  const runs = starts.length === 0 ? [] : [`runs=${starts.map(encodeRunStart).join()}`];
  const parts = feed === null ? runs : [...runs, ...partsOf(feed)];
  return { path: `${RUNS_PATH}/stream?${parts.join("&")}` };
}

/**
 * The list, unless it still has the version that the reader has.
 * @throws RunEventsError `invalid_request` for a topic that no run can have
 * @see clause W48 in `WIRE.md`
 */
export function listCall({ isHeld, ...feed }: FeedQuery & { isHeld: boolean }): Call {
  const wait = isHeld ? WAIT_SECONDS : 0;
  return {
    path: `${RUNS_PATH}?${[...partsOf(feed), `wait=${wait}`].join("&")}`,
    seconds: ANSWER_SECONDS + wait,
    answer: LIST,
    read: readList,
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

/** Makes the list of an answer; `null` if it is still the same. */
function readList(json: unknown): unknown {
  const {
    same,
    runs,
    version,
    more,
    last = {},
  } = json as {
    readonly same?: unknown;
    readonly runs: readonly RunSnapshot[];
    readonly version: string;
    readonly more: boolean;
    readonly last?: Readonly<Record<string, RunEvent>>;
  };
  if (same === true) return null;
  const events = new Map(Object.entries(last));
  const isRight =
    fits(json, WHOLE) &&
    runs.every((run) => fits(run, FEED_RUN)) &&
    [...events.values()].every((event) => fits(event, EVENT));
  if (!isRight) throw new TypeError("Malformed list.");
  return {
    version,
    more,
    runs: runs.map((run) => {
      const event = events.get(run.runId);
      return event === undefined ? { run } : { run, last: event };
    }),
  };
}
