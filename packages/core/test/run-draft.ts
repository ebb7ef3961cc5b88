import fc from "fast-check";
import type { AppendRequest } from "../src/rules/append.ts";
import type { EventDraft } from "../src/rules/event.ts";
import { INPUT_RECEIVED, planEvents, planInput } from "../src/rules/lifecycle.ts";
import { appendRequest } from "./run-record.ts";

const LIMITS = { maxPayloadBytes: 10_000, maxBatchEvents: 1_000 };

/** Payloads that start a phase, and similar ones that do not. */
const phasePayload: fc.Arbitrary<unknown> = fc.oneof(
  fc.record({ phase: fc.string({ unit: "binary", maxLength: 8 }) }),
  fc.constantFrom<unknown>(undefined, null, "plan", ["plan"], {}, { phase: 1 }, { phase: null }),
  fc.constantFrom({ Phase: "no" }, { phase: { phase: "no" } }, [{ phase: "no" }]),
);

/** An event that does not end its run. */
export const liveDraft: fc.Arbitrary<EventDraft> = fc.oneof(
  fc.record({ eventType: fc.constant("PHASE_STARTED"), payload: phasePayload }),
  fc.record({
    eventType: fc.constantFrom(
      "RUN_STARTED",
      "TOKEN",
      "PHASE_ENDED",
      "RUN_COMPLETED_NOT",
      "INPUT_REQUESTED",
    ),
    payload: fc.oneof(phasePayload, fc.jsonValue({ maxDepth: 2 })),
  }),
);

/** An event that ends its run. */
export const terminalDraft: fc.Arbitrary<EventDraft> = fc.record({
  eventType: fc.constantFrom("RUN_COMPLETED", "RUN_FAILED", "RUN_CANCELLED"),
  payload: phasePayload,
});

/** An input, which is alone in its batch. */
const inputBatch: fc.Arbitrary<readonly EventDraft[]> = phasePayload.map((payload) => [
  { eventType: INPUT_RECEIVED, payload },
]);

/** Batches that a run takes one after another, with or without an end. */
export function batches(
  end: "live" | "finished" | "either",
  inputs: "with inputs" | "without inputs" = "without inputs",
): fc.Arbitrary<readonly (readonly EventDraft[])[]> {
  const plain = fc.array(liveDraft, { minLength: 1, maxLength: 5 });
  const batch = inputs === "with inputs" ? fc.oneof(plain, inputBatch) : plain;
  const live = fc.array(batch, { maxLength: 6 });
  if (end === "live") return live;
  const finished = fc
    .tuple(live, fc.array(liveDraft, { maxLength: 2 }), terminalDraft)
    .map(([before, last, terminal]) => [...before, [...last, terminal]]);
  return end === "finished" ? finished : fc.oneof(live, finished);
}

/** The request of one of these batches, as core makes it. */
export function requestOf(drafts: readonly EventDraft[]): AppendRequest {
  const [first] = drafts;
  return first?.eventType === INPUT_RECEIVED
    ? appendRequest(planInput(first.payload, LIMITS), { appender: { by: "input" } })
    : appendRequest(planEvents(drafts, LIMITS));
}
