import { parseIdempotencyKey } from "@tm/run-events-core/wire";
import { encodeReceipt } from "@tm/run-events-core/wire";
import { jsonReply } from "../exchange/exchange.ts";
import { json } from "../openapi/operation.ts";
import { keyParameter } from "../openapi/parameter.ts";
import { schemaRef } from "../openapi/schema.ts";
import { parseInputBody } from "../request/bodies.ts";
import { readBody } from "./call-body.ts";
import { type Route, RUN_PATH } from "./route.ts";

/** Answers a run, or steers it. @see clauses W38 and W39 in `WIRE.md` */
export const INPUT_ROUTE: Route = {
  method: "POST",
  path: `${RUN_PATH}/input`,
  access: "any",
  changes: true,
  async answer(call) {
    const { context, exchange, runId, ownerId } = call;
    const key = exchange.header("idempotency-key");
    const idempotencyKey = key === null ? undefined : parseIdempotencyKey(key);
    const { payload, expectedSequence } = parseInputBody(await readBody(call));
    const conditions = { ownerId, idempotencyKey, expectedSequence };
    const receipt = await context.log.input(runId, payload, conditions);
    return jsonReply(receipt.replayed ? 200 : 201, encodeReceipt(receipt));
  },
  operation: {
    tag: "writing",
    id: "giveInput",
    summary: "Appends `INPUT_RECEIVED`, even to a claimed run (W39)",
    description:
      "Answers a waiting run, or steers one that a worker has. The lease and its fence stay as they are. No other request appends this event.",
    parameters: [keyParameter("The same key with the same payload gets the first receipt.")],
    requestBody: { content: { "application/json": { schema: schemaRef("Input") } } },
    answers: {
      201: json("Appended.", "Receipt"),
      200: json("The receipt of an earlier input with this key.", "Receipt"),
    },
    codes: [
      "run_finished",
      "sequence_conflict",
      "payload_too_large",
      "invalid_event",
      "idempotency_key_reused",
    ],
  },
};
