import { isTerminal } from "@tm/run-events-core";
import { emptyReply, type Reply, type StreamReply } from "../exchange/exchange.ts";
import { LAST_EVENT_ID } from "../contract/headers.ts";
import { parseStart, START } from "../contract/start.ts";
import { answerStream, STREAM } from "./answer-stream.ts";
import { type Call, type Route, RUN_PATH } from "./route.ts";

/** The live stream. @see clauses W19 to W28 in `WIRE.md` */
export const STREAM_ROUTE: Route = {
  ...STREAM,
  path: `${RUN_PATH}/stream`,
  id: "readStream",
  summary: "The events after `since`, then those to come (W19 to W28, W46)",
  description:
    "For EventSource: `data` of each message is a StreamMessage. `connected` comes first, `run_finished` or `error` last. A failure that is worth a retry is answered 200 with an `error` message.",
  parameters: [...START, LAST_EVENT_ID],
  answers: {
    ...STREAM.answers,
    204: { description: "The run has ended, and by its `Last-Event-ID` the reader has the end." },
  },
  codes: ["invalid_cursor"],
  answer: openStream,
};

async function openStream(call: Call): Promise<Reply | StreamReply> {
  const { context, exchange, runId, ownerId, authorize } = call;
  const { since, at, tail } = parseStart(exchange);
  const resumed = LAST_EVENT_ID.parse(exchange);
  if (resumed !== null || exchange.method === "HEAD") {
    const run = await context.log.getRun(runId, { ownerId });
    if (resumed !== null && isTerminal(run.runStatus) && resumed > run.lastSequence) {
      return emptyReply(204, { "cache-control": "no-store" });
    }
  }
  // The time is that of the event `since`, and not of the one that the header names.
  const from = resumed === null ? { since, at } : { since: resumed };
  const start = resumed === null && tail !== null ? { since: 0, tail } : from;
  return answerStream(call, () => context.streams.open({ runId, ownerId, authorize, ...start }));
}
