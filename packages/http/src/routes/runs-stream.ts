import { RUNS_PATH } from "@tm/run-events-core/wire";
import { parseRunsAndFeed, RUNS_AND_FEED } from "../contract/lists.ts";
import { answerStream, STREAM } from "./answer-stream.ts";
import type { Route } from "./route.ts";

/** The live stream of many runs, and of a feed. @see clauses W47 and W48 in `WIRE.md` */
export const RUNS_STREAM_ROUTE: Route = {
  ...STREAM,
  path: `${RUNS_PATH}/stream`,
  id: "readRunsStream",
  summary: "The events of many runs (W47) and a feed of the caller's runs (W48) on one connection",
  description:
    "`data` of each message is a RunsStreamMessage, without `id`. An `error` with a `runId` ends that run, one with `feed` the feed, any other the stream. To come back, ask with the last sequence of each run, and with the last `version` of the feed. `runs` or `feed` is required; `topic`, `last` and `have` belong to `feed`.",
  parameters: RUNS_AND_FEED,
  codes: ["invalid_request"],
  async answer(call) {
    const { context, exchange, ownerId, authorize } = call;
    const asked = parseRunsAndFeed(exchange);
    return answerStream(call, () => context.streams.openRuns({ ...asked, ownerId, authorize }));
  },
};
