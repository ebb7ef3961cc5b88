import { RUNS_PATH } from "@tm/run-events-core/wire";
import type { Reply, StreamReply } from "../exchange/exchange.ts";
import { STREAM_HEADERS } from "../exchange/stream-headers.ts";
import { empty } from "../openapi/operation.ts";
import {
  FEED_PARAMETER,
  HAVE_PARAMETER,
  LAST_PARAMETER,
  RUNS_PARAMETER,
  TOPIC_PARAMETER,
} from "../openapi/parameter.ts";
import { parseRunsAndFeed } from "../request/feed-query.ts";
import { openFor } from "./open-for.ts";
import type { Call, Route } from "./route.ts";

/** The live stream of many runs, and of a feed. @see clauses W47 and W48 in `WIRE.md` */
export const RUNS_STREAM_ROUTE: Route = {
  method: "GET",
  path: `${RUNS_PATH}/stream`,
  access: "session",
  changes: false,
  answer: openStream,
  operation: {
    tag: "live stream",
    id: "readRunsStream",
    summary:
      "The events of many runs (W47) and a feed of the caller's runs (W48) on one connection",
    description:
      "`data` of each message is a RunsStreamMessage, without `id`. `stream_opened` comes first. Each run has a `connected` and then its events, and ends with a `run_finished` or an `error` that has its `runId`. With `feed` there is a feed too: `feed_started`, a `run` for each run of the list and for each that changes, `run_gone`, and `feed_version`. `stream_finished`, or an `error` without `runId` and `feed`, comes last. To come back, ask with the last sequence of each run, and with the last `version` of the feed. `runs` or `feed` is required; `topic`, `last` and `have` belong to `feed`.",
    parameters: [RUNS_PARAMETER, FEED_PARAMETER, TOPIC_PARAMETER, LAST_PARAMETER, HAVE_PARAMETER],
    answers: {
      200: {
        description: "Messages without a name, of `data`.",
        content: { "text/event-stream": { schema: { type: "string" } } },
      },
    },
    codes: ["invalid_request"],
  },
  head: {
    id: "headRunsStream",
    summary: "The headers of the stream, which is not opened (W47)",
    answers: { 200: empty("The stream exists.") },
  },
};

async function openStream(call: Call): Promise<Reply | StreamReply> {
  const { context, exchange, ownerId, authorize } = call;
  const asked = parseRunsAndFeed(exchange.query);
  if (exchange.method === "HEAD") return { status: 200, headers: STREAM_HEADERS, body: null };
  return openFor(context.log, exchange, () =>
    context.streams.openRuns({ ...asked, ownerId, authorize }),
  );
}
