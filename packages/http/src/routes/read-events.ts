import { isTerminal } from "@tm/run-events-core";
import { emptyReply, jsonReply, type Reply, stopIfGone } from "../exchange/exchange.ts";
import { empty, json, textHeader } from "../openapi/operation.ts";
import {
  AT_PARAMETER,
  limitParameter,
  parameter,
  SINCE_PARAMETER,
  TAIL_PARAMETER,
  WAIT_PARAMETER,
} from "../openapi/parameter.ts";
import { parseAt, parseLimit, parseSince, parseTail, parseWaitMs } from "../request/query.ts";
import { etagOf, matchesEtag } from "./etag.ts";
import { readPage } from "./read-page.ts";
import { type Call, type Route, RUN_PATH } from "./route.ts";

const LIMIT = { most: 1_000, fallback: 500 };

/** Reads a page of events, and can wait for new ones. @see clauses W15 to W18 and W46 in `WIRE.md` */
export const READ_EVENTS: Route = {
  method: "GET",
  path: `${RUN_PATH}/events`,
  access: "any",
  changes: false,
  answer: readEvents,
  operation: {
    tag: "polling",
    id: "readEvents",
    summary: "The events after `since` (W15 to W18, W46)",
    description:
      "Pass on the highest sequence seen and stop at a terminal status: you then have every event. `since` past the end is 409; on a finished run `lastSequence + 1` is the end too.",
    parameters: [
      SINCE_PARAMETER,
      AT_PARAMETER,
      TAIL_PARAMETER,
      limitParameter(LIMIT),
      WAIT_PARAMETER,
      parameter(
        "header",
        "If-None-Match",
        "Tags of pages that the reader has. Ignored with `wait`.",
        { type: "string" },
      ),
    ],
    answers: {
      200: json("A page, of at most 4 MiB unless one event is larger.", "Page", textHeader("ETag")),
      304: empty("The page is one of those that the reader has.", textHeader("ETag")),
    },
    codes: ["invalid_cursor", "cursor_ahead", "history_changed"],
  },
};

async function readEvents(call: Call): Promise<Reply> {
  const { context, exchange, runId, ownerId, holding } = call;
  const given = parseSince(exchange.query);
  const tail = parseTail(exchange.query);
  const at = parseAt(exchange.query, given);
  const limit = parseLimit(exchange.query, LIMIT);
  const waitMs = parseWaitMs(exchange.query);
  holding.checkAnswers();
  const since = tail === null ? given : await readStart(call, tail);
  const began = tail === null ? undefined : since;
  let read = await readPage(call, { since, at, limit, began });
  if (waitMs > 0 && read.page.events.length === 0 && !isTerminal(read.page.runStatus)) {
    await context.waits.hold({ ownerId, waitMs, signal: exchange.signal }, (signal) =>
      context.log.waitFor(runId, { since, at, ownerId, signal }),
    );
    read = await readPage(call, { since, at, limit, began });
  }
  const etag = etagOf(read.page, since);
  const headers = { etag };
  if (waitMs === 0 && matchesEtag(exchange.header("if-none-match"), etag)) {
    return emptyReply(304, headers);
  }
  return jsonReply(200, read.body, headers);
}

/** The cursor of a page that is asked for by its distance to the end. @see clause W45 in `WIRE.md` */
function readStart(call: Call, tail: number): Promise<number> {
  const { context, exchange, runId, ownerId, holding } = call;
  return holding.read(async () => {
    stopIfGone(exchange);
    return context.log.tailStart(runId, tail, { ownerId });
  });
}
