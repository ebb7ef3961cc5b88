import { isTerminal } from "@tm/run-events-core";
import { isRunId, parseIdempotencyKey, runNotFound } from "@tm/run-events-core/store";
import { parseCursor, encodeReceipt, encodeRun, encodeRunList } from "@tm/run-events-core/wire";
import { mediaType, refuseEncoded } from "./body.ts";
import { readBody, withBody } from "./call-body.ts";
import { etagOf, matchesEtag } from "./etag.ts";
import { emptyReply, jsonReply, type Reply, type StreamReply } from "./exchange.ts";
import { readPage } from "./read-page.ts";
import { readRunList } from "./run-list.ts";
import { LEASE_ROUTES } from "./lease-routes.ts";
import { appendLines } from "./ndjson.ts";
import { openApiDocument } from "./openapi.ts";
import {
  invalidRequest,
  parseAppendBody,
  parseCreateBody,
  parseFence,
  parseLimit,
  parseListCursor,
  parseSince,
  parseStatus,
  parseWaitMs,
} from "./parameters.ts";
import type { RouteName } from "./paths.ts";
import type { Call, Methods } from "./route.ts";
import { STREAM_HEADERS } from "./stream-headers.ts";

/** Every path with its methods: the whole wire. `HEAD` is answered wherever `GET` is. */
export const ROUTES: Readonly<Record<RouteName, Methods>> = {
  runs: {
    GET: { access: "any", changes: false, takesTurn: "short", answer: listRuns },
    POST: { access: "any", changes: true, answer: createRun },
  },
  run: {
    GET: { access: "any", changes: false, answer: getRun },
    DELETE: { access: "any", changes: true, takesTurn: "short", answer: deleteRun },
  },
  events: {
    GET: { access: "any", changes: false, answer: readEvents },
    POST: { access: "any", changes: true, answer: appendEvents },
  },
  stream: { GET: { access: "session", changes: false, answer: openStream } },
  claim: LEASE_ROUTES,
  cancel: { POST: { access: "any", changes: true, answer: cancelRun } },
  openapi: { GET: { access: "open", changes: false, answer: describe } },
};

async function listRuns(call: Call): Promise<Reply> {
  const { service, exchange, ownerId, holding } = call;
  const runStatus = parseStatus(exchange.query);
  const before = parseListCursor(exchange.query);
  const limit = parseLimit(exchange.query, 50, 200);
  holding.checkAnswers();
  const query = { ownerId, runStatus, before, limit };
  const list = await readRunList(service.log, query, call);
  return jsonReply(200, encodeRunList(list), service.retention);
}

async function createRun(call: Call): Promise<Reply> {
  const { service, ownerId } = call;
  const { runId, metadata } = parseCreateBody(await readBody(call));
  const { created, run } = await service.log.createRun({ runId, ownerId, metadata });
  return jsonReply(created ? 201 : 200, encodeRun(run), {
    location: `/v1/agent-runs/${run.runId}`,
  });
}

async function getRun({ service, runId, ownerId }: Call): Promise<Reply> {
  return jsonReply(200, encodeRun(await service.log.getRun(runId, { ownerId })), service.retention);
}

async function deleteRun({ service, runId, ownerId }: Call): Promise<Reply> {
  await service.log.deleteRun(runId, { ownerId });
  return emptyReply();
}

async function cancelRun({ service, runId, ownerId }: Call): Promise<Reply> {
  return jsonReply(200, encodeRun(await service.log.cancel(runId, { ownerId })));
}

async function appendEvents(call: Call): Promise<Reply> {
  const { service, exchange, runId, ownerId, holding } = call;
  const key = exchange.header("idempotency-key");
  const fence = parseFence(exchange.header("run-fence"));
  if (mediaType(exchange) === "application/x-ndjson") {
    if (key !== null) throw invalidRequest("An Idempotency-Key cannot stand for a body of lines.");
    refuseEncoded(exchange);
    holding.beginUpload();
    // Before the first line is taken: a stranger's upload is refused at once, not when its first line has come.
    await service.log.getRun(runId, { ownerId });
    const { log, maxBodyBytes: maxLineBytes } = service;
    const target = { log, runId, ownerId, fence, maxLineBytes, holding };
    return jsonReply(201, encodeReceipt(await appendLines(exchange.body(), target)));
  }
  const idempotencyKey = key === null ? undefined : parseIdempotencyKey(key);
  const { maxBatchEvents } = service.log.limits;
  const receipt = await withBody(call, async (body) => {
    const { events, expectedSequence } = parseAppendBody(body, maxBatchEvents);
    const conditions = { ownerId, idempotencyKey, expectedSequence, fence };
    return service.log.append(runId, events, conditions);
  });
  return jsonReply(receipt.replayed ? 200 : 201, encodeReceipt(receipt));
}

async function readEvents(call: Call): Promise<Reply> {
  const { service, exchange, runId, ownerId, holding } = call;
  const since = parseSince(exchange.query);
  const limit = parseLimit(exchange.query, 500, 1_000);
  const waitMs = parseWaitMs(exchange.query);
  holding.checkAnswers();
  let read = await readPage(call, { since, limit });
  if (waitMs > 0 && read.page.events.length === 0 && !isTerminal(read.page.runStatus)) {
    await service.waits.hold({ runId, ownerId, since, waitMs, signal: exchange.signal });
    read = await readPage(call, { since, limit });
  }
  const etag = etagOf(read.page, since);
  const headers = { etag };
  if (waitMs === 0 && matchesEtag(exchange.header("if-none-match"), etag)) {
    return emptyReply(304, headers);
  }
  return jsonReply(200, read.body, headers);
}

async function openStream(call: Call): Promise<Reply | StreamReply> {
  const { service, exchange, runId, ownerId } = call;
  const given = parseSince(exchange.query);
  // A malformed header is ignored: a refusal would end an EventSource for good.
  const resumed = parseCursor(exchange.header("last-event-id") ?? "");
  if (resumed !== null || exchange.method === "HEAD") {
    const run = await service.log.getRun(runId, { ownerId });
    if (resumed !== null && isTerminal(run.runStatus) && resumed > run.lastSequence) {
      return emptyReply(204, { "cache-control": "no-store" });
    }
  }
  if (exchange.method === "HEAD") return { status: 200, headers: STREAM_HEADERS, body: null };
  const stream = service.streams.open({
    runId,
    ownerId,
    since: resumed ?? given,
    authorize: call.authorize,
  });
  const stay = exchange.onGone(() => stream.closed());
  try {
    await stream.ready;
    return { status: 200, headers: STREAM_HEADERS, stream };
  } finally {
    stay();
  }
}

async function describe(): Promise<Reply> {
  return jsonReply(200, JSON.stringify(openApiDocument()));
}

/** An id that no run can have leads to no run, and looks like any other. @see W4 */
export function checkRunId(runId: string): void {
  if (runId !== "" && !isRunId(runId)) throw runNotFound();
}
