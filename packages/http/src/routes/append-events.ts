import type { AppendReceipt } from "@tm/run-events-core";
import { parseIdempotencyKey } from "@tm/run-events-core/wire";
import { encodeReceipt, mediaType, refuseEncoded, reportOf } from "@tm/run-events-core/wire";
import { jsonReply, type Reply } from "../exchange/exchange.ts";
import { json } from "../openapi/operation.ts";
import { keyParameter, parameter } from "../openapi/parameter.ts";
import { schemaRef } from "../openapi/schema.ts";
import { parseAppendBody } from "../request/bodies.ts";
import { invalidRequest, parseFence } from "../request/query.ts";
import { appendLines, holdUpload } from "./append-lines.ts";
import { readBody } from "./call-body.ts";
import { observeUpload } from "./observe-upload.ts";
import { type Call, type Route, RUN_PATH } from "./route.ts";

/** Appends a batch, or lines as they arrive. @see clauses W9 to W12 and W32 in `WIRE.md` */
export const APPEND_EVENTS: Route = {
  method: "POST",
  path: `${RUN_PATH}/events`,
  access: "any",
  changes: true,
  answer: appendEvents,
  operation: {
    tag: "writing",
    id: "appendEvents",
    summary: "Appends events (W9 to W12, W32)",
    description:
      "A JSON body is appended whole or not at all. A body of NDJSON, one event a line, is appended as its lines arrive; a bad line ends it with a problem that names `line`, and `lastSequence` of what was appended before.",
    parameters: [
      keyParameter(
        "The same key with the same events gets the first receipt. Not allowed with NDJSON.",
      ),
      parameter(
        "header",
        "Run-Fence",
        "The fence of the caller's lease; needed on a claimed run (W32).",
        { type: "string", pattern: "^[1-9]\\d{0,15}$" },
      ),
    ],
    requestBody: {
      required: true,
      content: {
        "application/json": { schema: schemaRef("AppendEvents") },
        "application/x-ndjson": {
          schema: { type: "string", description: "An EventDraft a line." },
        },
      },
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
  },
};

async function appendEvents(call: Call): Promise<Reply> {
  const { context, exchange, runId, ownerId } = call;
  const key = exchange.header("idempotency-key");
  const fence = parseFence(exchange.header("run-fence"));
  if (mediaType(exchange) === "application/x-ndjson") {
    if (key !== null)
      throw invalidRequest(
        "Expected a body of lines without an `Idempotency-Key`, got one with a key. Leave out the key, or send the events as JSON.",
      );
    return takeLines(call, fence);
  }
  const idempotencyKey = key === null ? undefined : parseIdempotencyKey(key);
  const { maxBatchEvents } = context.log.limits;
  const { events, expectedSequence } = parseAppendBody(await readBody(call), maxBatchEvents);
  const conditions = { ownerId, idempotencyKey, expectedSequence, fence };
  const receipt = await context.log.append(runId, events, conditions);
  return jsonReply(receipt.replayed ? 200 : 201, encodeReceipt(receipt));
}

async function takeLines(call: Call, fence: number | undefined): Promise<Reply> {
  const { context, exchange, runId, ownerId, holding } = call;
  refuseEncoded(exchange);
  const { log, maxBodyBytes: maxLineBytes } = context;
  holdUpload(holding, 0);
  // Before the first line: the upload of another user is refused at once, not when its first line has arrived.
  await log.getRun(runId, { ownerId });
  const target = { log, runId, ownerId, fence, maxLineBytes, holding };
  const append = (): Promise<AppendReceipt> => appendLines(exchange.body(), target);
  const report = reportOf(log);
  const receipt =
    report === null ? await append() : await observeUpload(append, call, report, log.clock);
  return jsonReply(201, encodeReceipt(receipt));
}
