import { answers } from "@tm/run-events-core/wire";
import { jsonReply } from "../exchange/exchange.ts";
import { json } from "../contract/operation.ts";
import { INPUT } from "../contract/bodies.ts";
import { keyHeader } from "../contract/headers.ts";
import { readBody } from "./call-body.ts";
import { type Route, RUN_PATH } from "./route.ts";

const KEY = keyHeader("The same key with the same payload gets the first receipt.");

/** Answers a run, or steers it. @see clauses W38 and W39 in `WIRE.md` */
export const INPUT_ROUTE: Route = {
  method: "POST",
  path: `${RUN_PATH}/input`,
  access: "any",
  tag: "writing",
  id: "giveInput",
  summary: "Appends `INPUT_RECEIVED`, even to a claimed run (W39)",
  description:
    "Answers a waiting run, or steers one that a worker has. The lease and its fence stay as they are. No other request appends this event.",
  parameters: [KEY],
  body: INPUT,
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
  async answer(call) {
    const { context, exchange, runId, ownerId } = call;
    const idempotencyKey = KEY.parse(exchange);
    const { payload, expectedSequence } = INPUT.parse(await readBody(call));
    const conditions = { ownerId, idempotencyKey, expectedSequence };
    const receipt = await context.log.input(runId, payload, conditions);
    return jsonReply(receipt.replayed ? 200 : 201, answers.encodeReceipt(receipt));
  },
};
