import type { AppendReceipt } from "@tm/run-events-core";
import { reportOf, answers, bounds } from "@tm/run-events-core/wire";
import { jsonReply, type Reply } from "../exchange/exchange.ts";
import { json } from "../contract/operation.ts";
import { APPEND_EVENTS as BODY } from "../contract/bodies.ts";
import { parseEvents } from "../contract/events.ts";
import { FENCE, keyHeader } from "../contract/headers.ts";
import { invalidRequest } from "../contract/parameter.ts";
import { appendLines, holdUpload } from "./append-lines.ts";
import { readBody } from "./call-body.ts";
import { observeUpload } from "./observe-upload.ts";
import { type Call, type Route, RUN_PATH } from "./route.ts";

const KEY = keyHeader(
  "The same key with the same events gets the first receipt. Not allowed with NDJSON.",
);

/** Appends a batch, or lines as they arrive. @see clauses W9 to W12 and W32 in `WIRE.md` */
export const APPEND_EVENTS: Route = {
  method: "POST",
  path: `${RUN_PATH}/events`,
  access: "any",
  tag: "writing",
  id: "appendEvents",
  summary: "Appends events (W9 to W12, W32)",
  description:
    "A JSON body is appended whole or not at all. A body of NDJSON, one event a line, is appended as its lines arrive; a bad line ends it with a problem that names `line`, and `lastSequence` of what was appended before.",
  parameters: [KEY, FENCE],
  body: BODY,
  contents: {
    "application/x-ndjson": { schema: { type: "string", description: "An EventDraft a line." } },
  },
  answers: {
    201: json("Appended.", "Receipt"),
    200: json("The receipt of an earlier append with this key.", "Receipt"),
  },
  codes: [
    "run_finished",
    "fenced",
    "sequence_conflict",
    "payload_too_large",
    "invalid_event",
    "idempotency_key_reused",
  ],
  answer: appendEvents,
};

async function appendEvents(call: Call): Promise<Reply> {
  const { context, exchange, runId, ownerId } = call;
  const fence = FENCE.parse(exchange);
  if (bounds.mediaType(exchange) === "application/x-ndjson") {
    if (exchange.header("idempotency-key") !== null)
      throw invalidRequest(
        "Expected a body of lines without an `Idempotency-Key`, got one with a key. Leave out the key, or send the events as JSON.",
      );
    return takeLines(call, fence);
  }
  const idempotencyKey = KEY.parse(exchange);
  const { events, expectedSequence } = BODY.parse(await readBody(call));
  const drafts = parseEvents(events, context.log.limits.maxBatchEvents);
  const conditions = { ownerId, idempotencyKey, expectedSequence, fence };
  const receipt = await context.log.append(runId, drafts, conditions);
  return jsonReply(receipt.replayed ? 200 : 201, answers.encodeReceipt(receipt));
}

async function takeLines(call: Call, fence: number | undefined): Promise<Reply> {
  const { context, exchange, runId, ownerId, holding } = call;
  bounds.refuseEncoded(exchange);
  const { log, maxBodyBytes: maxLineBytes } = context;
  holdUpload(holding, 0);
  // Before the first line: the upload of another user is refused at once, not when its first line has arrived.
  await log.getRun(runId, { ownerId });
  const target = { log, runId, ownerId, fence, maxLineBytes, holding };
  const append = (): Promise<AppendReceipt> => appendLines(exchange.body(), target);
  const report = reportOf(log);
  const receipt =
    report === null ? await append() : await observeUpload(append, call, report, log.clock);
  return jsonReply(201, answers.encodeReceipt(receipt));
}
