import type { AppendRequest } from "@tm/run-events-core/store";
import { arbitraryAppend, arbitraryFence } from "@tm/run-events-test-servers/arbitrary-append";
import fc from "fast-check";

/** The runs of the steps; the last is never created. */
export const RUN_IDS = ["a", "b", "missing"] as const;

/** A call of a store, or some time before the next one. */
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
const fence = arbitraryFence;
const leaseMs = fc.constantFrom(5 * MINUTE_MS, 60 * MINUTE_MS);
const graceMs = fc.constantFrom(0, 10 * MINUTE_MS);

const request = arbitraryAppend(RUN_IDS, [0, 10 * MINUTE_MS], ["k1", "k2", ""]);

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
