import { isTerminal } from "@tm/run-events-core";
import { emptyReply, jsonReply, type Reply, stopIfGone } from "../exchange/exchange.ts";
import { json, textHeader } from "../contract/operation.ts";
import { IF_NONE_MATCH } from "../contract/headers.ts";
import { WAIT } from "../contract/lists.ts";
import { integerParameter } from "../contract/parameter.ts";
import { parseStart, START } from "../contract/start.ts";
import { etagOf, matchesEtag } from "./etag.ts";
import { readPage } from "./read-page.ts";
import { type Call, type Route, RUN_PATH } from "./route.ts";

const LIMIT = integerParameter("limit", "The most to answer.", { most: 1_000, fallback: 500 });

/** Reads a page of events, and can wait for new ones. @see clauses W15 to W18 and W46 in `WIRE.md` */
export const READ_EVENTS: Route = {
  method: "GET",
  path: `${RUN_PATH}/events`,
  access: "any",
  tag: "polling",
  id: "readEvents",
  summary: "The events after `since` (W15 to W18, W46)",
  description:
    "Pass on the highest sequence seen and stop at a terminal status: you then have every event. `since` past the end is 409; on a finished run `lastSequence + 1` is the end too.",
  parameters: [...START, LIMIT, WAIT, IF_NONE_MATCH],
  answers: {
    200: json("A page, of at most 4 MiB unless one event is larger.", "Page", textHeader("ETag")),
    304: {
      description: "The page is one of those that the reader has.",
      headers: textHeader("ETag"),
    },
  },
  codes: ["invalid_cursor", "cursor_ahead", "history_changed"],
  answer: readEvents,
};

async function readEvents(call: Call): Promise<Reply> {
  const { context, exchange, runId, ownerId, holding } = call;
  const { since: given, at, tail } = parseStart(exchange);
  const limit = LIMIT.parse(exchange);
  const waitMs = WAIT.parse(exchange);
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
  if (waitMs === 0 && matchesEtag(IF_NONE_MATCH.parse(exchange), etag))
    return emptyReply(304, { etag });
  return jsonReply(200, read.body, { etag });
}

/** The cursor of a page that is asked for by its distance to the end. @see clause W45 in `WIRE.md` */
function readStart(call: Call, tail: number): Promise<number> {
  const { context, exchange, runId, ownerId, holding } = call;
  return holding.read(async () => {
    stopIfGone(exchange);
    return context.log.tailStart(runId, tail, { ownerId });
  });
}
