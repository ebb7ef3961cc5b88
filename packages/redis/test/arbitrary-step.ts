import type { AppendRequest } from "@tm/run-events-core/store";
import fc from "fast-check";

/** The runs that steps are about; nobody makes the last. */
export const RUN_IDS = ["a", "b", "missing"] as const;

/** A call of a store, or some time that goes by before the next. */
export type Step =
  | { readonly do: "append"; readonly requests: readonly AppendRequest[] }
  | { readonly do: "claim"; readonly runId: string; readonly leaseMs: number }
  | {
      readonly do: "renew";
      readonly runId: string;
      readonly fence: number;
      readonly leaseMs: number;
    }
  | { readonly do: "release"; readonly runId: string; readonly fence: number }
  | { readonly do: "list expired"; readonly graceMs: number }
  | { readonly do: "pass"; readonly ms: number };

const MINUTE_MS = 60_000;

const runId = fc.constantFrom(...RUN_IDS);
const fence = fc.integer({ min: 1, max: 3 });
const leaseMs = fc.constantFrom(5 * MINUTE_MS, 60 * MINUTE_MS);
const graceMs = fc.constantFrom(0, 10 * MINUTE_MS);

const appender: fc.Arbitrary<AppendRequest["appender"]> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ by: fc.constant("anybody" as const) }) },
  { weight: 5, arbitrary: fc.record({ by: fc.constant("worker" as const), fence }) },
  { weight: 1, arbitrary: fc.record({ by: fc.constant("owner" as const) }) },
  { weight: 3, arbitrary: fc.record({ by: fc.constant("reaper" as const), graceMs }) },
);

/** Requests that often meet: few keys, owners, sequences and fences. */
const request: fc.Arbitrary<AppendRequest> = fc
  .record({
    runId,
    ownerId: fc.constantFrom(null, "ada", "bob"),
    events: fc.array(
      fc.record({
        eventType: fc.constantFrom("LOG_LINE", "PHASE_STARTED"),
        payload: fc.constantFrom("1", '"ü"'),
        phase: fc.constantFrom(null, null, '"draft"', '"review"'),
      }),
      { minLength: 1, maxLength: 3 },
    ),
    ends: fc.integer({ min: 0, max: 9 }).map((one) => one === 0),
    idempotencyKey: fc.constantFrom(null, null, "k1", "k2", ""),
    expectedSequence: fc.constantFrom(null, null, null, 0, 1, 2, 3),
    appender,
  })
  .map(({ ends, ...rest }) =>
    ends
      ? {
          ...rest,
          events: [...rest.events, { eventType: "RUN_FAILED", payload: "null", phase: null }],
          runStatus: "failed" as const,
        }
      : { ...rest, runStatus: "running" as const },
  );

/** One step. */
export const arbitraryStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("append" as const),
      requests: fc.array(request, { minLength: 1, maxLength: 6 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("claim" as const), runId, leaseMs }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("renew" as const), runId, fence, leaseMs }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("release" as const), runId, fence }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("list expired" as const), graceMs }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.constant(6 * MINUTE_MS) }),
  },
);
