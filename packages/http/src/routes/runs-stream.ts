import type { Reply, StreamReply } from "../exchange/exchange.ts";
import { STREAM_HEADERS } from "../exchange/stream-headers.ts";
import { empty } from "../openapi/operation.ts";
import { RUNS_PARAMETER } from "../openapi/parameter.ts";
import { parseRuns } from "../request/query.ts";
import { openFor } from "./open-for.ts";
import { type Call, ROOT_PATH, type Route } from "./route.ts";

/** The live stream of many runs. @see clause W47 in `WIRE.md` */
export const RUNS_STREAM_ROUTE: Route = {
  method: "GET",
  path: `${ROOT_PATH}/stream`,
  access: "session",
  changes: false,
  answer: openStream,
  operation: {
    tag: "live stream",
    id: "readRunsStream",
    summary: "The events of many runs on one connection (W47)",
    description:
      "`data` of each message is a RunsStreamMessage, without `id`. `stream_opened` comes first. Each run has a `connected` and then its events, and ends with a `run_finished` or an `error` that has its `runId`. `stream_finished`, or an `error` without `runId`, comes last. To come back, ask with the last sequence of each run.",
    parameters: [RUNS_PARAMETER],
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
  const runs = parseRuns(exchange.query);
  if (exchange.method === "HEAD") return { status: 200, headers: STREAM_HEADERS, body: null };
  return openFor(exchange, context.streams.openRuns({ runs, ownerId, authorize }));
}
