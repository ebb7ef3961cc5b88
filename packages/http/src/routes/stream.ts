import { isTerminal } from "@tm/run-events-core";
import { parseCursor } from "@tm/run-events-core/wire";
import { emptyReply, type Reply, type StreamReply } from "../exchange/exchange.ts";
import { STREAM_HEADERS } from "../exchange/stream-headers.ts";
import { empty } from "../openapi/operation.ts";
import { AT_PARAMETER, parameter, SINCE_PARAMETER, TAIL_PARAMETER } from "../openapi/parameter.ts";
import { parseAt, parseSince, parseTail } from "../request/query.ts";
import { openFor } from "./open-for.ts";
import { type Call, type Route, RUN_PATH } from "./route.ts";

/** The live stream. @see clauses W19 to W28 in `WIRE.md` */
export const STREAM_ROUTE: Route = {
  method: "GET",
  path: `${RUN_PATH}/stream`,
  access: "session",
  changes: false,
  answer: openStream,
  operation: {
    tag: "live stream",
    id: "readStream",
    summary: "The events after `since`, then those to come (W19 to W28, W46)",
    description:
      "For EventSource: `data` of each message is a StreamMessage. `connected` comes first, `run_finished` or `error` last. A failure that is worth a retry is answered 200 with an `error` message.",
    parameters: [
      SINCE_PARAMETER,
      AT_PARAMETER,
      TAIL_PARAMETER,
      parameter(
        "header",
        "Last-Event-ID",
        "Wins over `since`, `at` and `tail`; ignored if it is not a cursor.",
        {
          type: "string",
        },
      ),
    ],
    answers: {
      200: {
        description: "Messages without a name, of `data` and, for events, `id`.",
        content: { "text/event-stream": { schema: { type: "string" } } },
      },
      204: empty("The run has ended, and by its `Last-Event-ID` the reader has the end."),
    },
    codes: ["invalid_cursor"],
  },
  head: {
    id: "headStream",
    summary: "The headers of the stream, which is not opened (W19)",
    answers: {
      200: empty("The stream exists."),
      204: empty("The run has ended, and the reader has the end."),
    },
  },
};

async function openStream(call: Call): Promise<Reply | StreamReply> {
  const { context, exchange, runId, ownerId, authorize } = call;
  const given = parseSince(exchange.query);
  const tail = parseTail(exchange.query);
  const at = parseAt(exchange.query, given);
  // A malformed header is ignored: a refusal would end an EventSource for good.
  const resumed = parseCursor(exchange.header("last-event-id") ?? "");
  if (resumed !== null || exchange.method === "HEAD") {
    const run = await context.log.getRun(runId, { ownerId });
    if (resumed !== null && isTerminal(run.runStatus) && resumed > run.lastSequence) {
      return emptyReply(204, { "cache-control": "no-store" });
    }
  }
  if (exchange.method === "HEAD") return { status: 200, headers: STREAM_HEADERS, body: null };
  // The time is that of the event `since`, and not of the one that the header names.
  const from = resumed === null ? { since: given, at } : { since: resumed };
  const start = resumed === null && tail !== null ? { since: 0, tail } : from;
  return openFor(context.log, exchange, () =>
    context.streams.open({ runId, ownerId, authorize, ...start }),
  );
}
