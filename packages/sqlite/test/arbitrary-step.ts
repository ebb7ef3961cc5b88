import type {
  AppendRequest,
  ClaimRequest,
  ExpiredQuery,
  PurgeRequest,
  ReleaseRequest,
  RenewRequest,
  RunEventStore,
} from "@tm/run-events-core/store";
import { arbitraryAppend, arbitraryFence } from "@tm/run-events-test-servers/arbitrary-append";
import fc from "fast-check";

/** A caller's action, after some time. */
export type Step = { readonly afterMs: number } & (
  | { readonly does: "append"; readonly request: readonly AppendRequest[] }
  | { readonly does: "claim"; readonly request: ClaimRequest }
  | { readonly does: "renew"; readonly request: RenewRequest }
  | { readonly does: "release"; readonly request: ReleaseRequest }
  | { readonly does: "listExpired"; readonly request: ExpiredQuery }
  | { readonly does: "purge"; readonly request: Pick<PurgeRequest, "limit"> }
);

export const RUN_IDS = ["a", "b", "missing"] as const;

const runId = fc.constantFrom(...RUN_IDS);
const ownerId = fc.constantFrom(null, null, "ada", "bob");
const fence = arbitraryFence;
const leaseMs = fc.constantFrom(1, 1_000, 5_000);
const GRACES_MS = [0, 1, 1_000];
const graceMs = fc.constantFrom(...GRACES_MS);
const limit = fc.integer({ min: 1, max: 3 });

const append = arbitraryAppend(RUN_IDS, GRACES_MS);

function stepOf<Does extends Step["does"], Request>(
  does: Does,
  request: fc.Arbitrary<Request>,
): fc.Arbitrary<{ readonly does: Does; readonly request: Request; readonly afterMs: number }> {
  return fc.record({
    does: fc.constant(does),
    request,
    afterMs: fc.constantFrom(0, 0, 1, 1_000, 3_000),
  });
}

export const arbitraryStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: stepOf("append", fc.array(append, { minLength: 1, maxLength: 6 })),
  },
  { weight: 3, arbitrary: stepOf("claim", fc.record({ runId, ownerId, leaseMs })) },
  { weight: 1, arbitrary: stepOf("renew", fc.record({ runId, ownerId, leaseMs, fence })) },
  { weight: 1, arbitrary: stepOf("release", fc.record({ runId, ownerId, fence })) },
  { weight: 1, arbitrary: stepOf("listExpired", fc.record({ graceMs, limit })) },
  { weight: 1, arbitrary: stepOf("purge", fc.record({ limit })) },
);

/**
 * A step with real fences: its 1 means the run's first fence, its 2 the second. A number without a fence yet is kept.
 * @param given the fences of each run, in their order
 */
export function underGiven(step: Step, given: ReadonlyMap<string, readonly number[]>): Step {
  const fenceOf = (runId: string, nth: number): number => given.get(runId)?.[nth - 1] ?? nth;
  switch (step.does) {
    case "append":
      return {
        ...step,
        request: step.request.map((one) => {
          const { runId, appender: by } = one;
          if (by.by !== "worker") return one;
          return { ...one, appender: { by: "worker", fence: fenceOf(runId, by.fence) } };
        }),
      };
    case "renew":
    case "release": {
      const { runId, fence: nth } = step.request;
      return { ...step, request: { ...step.request, fence: fenceOf(runId, nth) } } as Step;
    }
    case "claim":
    case "listExpired":
    case "purge":
      return step;
  }
}

/** Takes a step; its time has already passed. A purge removes the runs that have finished before now. */
export function takeStep(store: RunEventStore, step: Step): Promise<unknown> {
  switch (step.does) {
    case "append":
      return store.append(step.request);
    case "claim":
      return store.claim(step.request);
    case "renew":
      return store.renew(step.request);
    case "release":
      return store.release(step.request);
    case "listExpired":
      return store.listExpired(step.request);
    case "purge":
      return store.purge({ ...step.request, finishedForMs: 1 });
  }
}
