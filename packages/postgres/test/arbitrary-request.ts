import type { Appender, AppendRequest } from "@tm/run-events-core/store";
import fc from "fast-check";

export const arbitraryFence: fc.Arbitrary<number> = fc.integer({ min: 1, max: 3 });

const arbitraryAppender: fc.Arbitrary<Appender> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ by: "anybody" as const }) },
  { weight: 3, arbitrary: arbitraryFence.map((fence) => ({ by: "worker" as const, fence })) },
  { weight: 1, arbitrary: fc.constant({ by: "owner" as const }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(0, 7_200_000).map((graceMs) => ({ by: "reaper" as const, graceMs })),
  },
);

/** Requests that often meet: few runs, keys, owners, fences and sequences. */
export function arbitraryRequest(runIds: readonly string[]): fc.Arbitrary<AppendRequest> {
  return fc
    .record({
      runId: fc.constantFrom(...runIds),
      ownerId: fc.constantFrom(null, null, "ada", "bob"),
      events: fc.array(
        fc.record({
          eventType: fc.constantFrom("LOG_LINE", "PHASE_STARTED"),
          payload: fc.constantFrom("1", '"ü"'),
          phase: fc.constantFrom(null, null, '"draft"', '"review"'),
        }),
        { minLength: 1, maxLength: 3 },
      ),
      ends: fc.integer({ min: 0, max: 9 }).map((one) => one === 0),
      idempotencyKey: fc.constantFrom(null, null, "k1", "k2", "k3"),
      expectedSequence: fc.constantFrom(null, null, null, 0, 1, 2, 3),
      appender: arbitraryAppender,
    })
    .map(({ ends, ...request }) =>
      ends
        ? {
            ...request,
            events: [...request.events, { eventType: "RUN_FAILED", payload: "null", phase: null }],
            runStatus: "failed" as const,
          }
        : { ...request, runStatus: "running" as const },
    );
}
