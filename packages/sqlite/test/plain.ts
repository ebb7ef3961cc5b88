import type { Plain } from "@tm/run-events-core/store";
import { appendOf } from "@tm/run-events-test-servers/requests";

/** A plain append of an event for each value, to a run of Ada's that is running. */
export function plainOf(runId: string, ...values: readonly unknown[]): Plain {
  return {
    ownerId: "ada",
    runId,
    events: values.flatMap((value) => appendOf(runId, value).events),
    fence: null,
    leaseMs: null,
    expectedSequence: null,
    idempotencyKey: null,
  };
}
