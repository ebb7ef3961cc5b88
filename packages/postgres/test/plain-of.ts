import type { Plain } from "@tm/run-events-core/store";

/** A plain append of one event whose payload is the value. */
export function plainOf(runId: string, value: unknown, more: Partial<Plain> = {}): Plain {
  return {
    ownerId: "ada",
    runId,
    events: [{ eventType: "LOG_LINE", payload: JSON.stringify(value), phase: null }],
    fence: null,
    leaseMs: null,
    expectedSequence: null,
    idempotencyKey: null,
    ...more,
  };
}
