import type { RunEvent, RunSnapshot } from "@tm/run-events-core";
import { checkTopic, encodeRunStart, RUNS_PATH, type RunStart } from "@tm/run-events-core/wire";
import { fits, isText, type Shape } from "./fits.ts";
import { ANSWER_SECONDS, type Call, EVENT, RUN, WAIT_SECONDS } from "./run-calls.ts";

/** The shape of a run of a feed. @see clause W48 in `WIRE.md` of `@tm/run-events-http` */
export const FEED_RUN: Shape = { ...RUN, runId: isText, createdAt: isText };

/** Which runs a feed has, and where it goes on. @see clause W48 in `WIRE.md` */
export interface FeedQuery {
  readonly topic: string | null;
  readonly last: boolean;
  readonly cursor: string | null;
}

/** The longest query of a stream: 100 ids of 36 characters, each with a cursor and its time. Some proxies take an address of 8 KiB. */
export const MOST_QUERY = 7_000;

const isFlag = (value: unknown): boolean => typeof value === "boolean";
const CHANGED: Shape = {
  runs: Array.isArray,
  gone: Array.isArray,
  cursor: isText,
  hasMore: isFlag,
  reset: isFlag,
};

/**
 * A stream of runs, of the feed, or of both. A cursor that makes the address too long is left out: the feed then starts over.
 * @param starts runs whose ids were checked
 * @throws RunEventsError `invalid_request` for a topic that no run can have
 * @see clauses W47 and W48 in `WIRE.md`
 */
export function runsStreamCall(starts: readonly RunStart[], feed: FeedQuery | null): Call {
  const runs = starts.length === 0 ? [] : [`runs=${starts.map(encodeRunStart).join()}`];
  const parts = feed === null ? runs : [...runs, "feed=live", ...filtersOf(feed)];
  const cursor = feed === null ? null : feed.cursor;
  const since = cursor === null ? [] : [`changedSince=${encodeURIComponent(cursor)}`];
  const whole = [...parts, ...since].join("&");
  return { path: `${RUNS_PATH}/stream?${whole.length > MOST_QUERY ? parts.join("&") : whole}` };
}

/**
 * The changed runs since a cursor.
 * @throws RunEventsError `invalid_request` for a topic that no run can have
 * @see clause W48 in `WIRE.md`
 */
export function changedCall({ cursor, isHeld, ...want }: FeedQuery & { isHeld: boolean }): Call {
  const wait = isHeld ? WAIT_SECONDS : 0;
  const since = `changedSince=${encodeURIComponent(cursor ?? "")}`;
  return {
    path: `${RUNS_PATH}?${[since, ...filtersOf(want), `wait=${wait}`].join("&")}`,
    seconds: ANSWER_SECONDS + wait,
    answer: CHANGED,
    read: readChanged,
  };
}

function filtersOf({ topic, last }: Pick<FeedQuery, "topic" | "last">): readonly string[] {
  const checked = checkTopic(topic);
  return [
    ...(checked === null ? [] : [`topic=${encodeURIComponent(checked)}`]),
    ...(last ? ["last=true"] : []),
  ];
}

/** Makes the changes of an answer, as core has them. */
function readChanged(json: unknown): unknown {
  const {
    reset: isReset,
    runs,
    last = {},
    ...rest
  } = json as {
    readonly reset: boolean;
    readonly runs: readonly RunSnapshot[];
    readonly last?: Readonly<Record<string, RunEvent>>;
  };
  const events = new Map(Object.entries(last));
  const isRight =
    runs.every((run) => fits(run, FEED_RUN)) &&
    [...events.values()].every((event) => fits(event, EVENT));
  if (!isRight) throw new TypeError("Malformed run.");
  return {
    ...rest,
    isReset,
    runs: runs.map((run) => {
      const event = events.get(run.runId);
      return event === undefined ? { run } : { run, last: event };
    }),
  };
}
