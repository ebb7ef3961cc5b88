import type { RunRecord } from "@tm/run-events-core/store";
import type { LeaseOutcome } from "../../core/src/rules/claims.ts";
import type { KitStore } from "../../conformance/src/kit-store.ts";

type AppendRequest = Parameters<KitStore["append"]>[0][number];

/**
 * A store whose fences are 1, 2, 3, … for each run, in the order in which its answers show them. So two stores that do the same can be
 * compared, even if their clocks and ordinals differ. A number that is not a fence yet reaches the store unchanged.
 */
export function countFences(store: KitStore): KitStore {
  const fencesOf = new Map<string, number[]>();

  function counted<Run extends RunRecord>(run: Run): Run {
    if (run.fence === 0) return run;
    const fences = fencesOf.get(run.runId) ?? [];
    fencesOf.set(run.runId, fences);
    if (!fences.includes(run.fence)) fences.push(run.fence);
    return { ...run, fence: fences.indexOf(run.fence) + 1 };
  }

  function real<One extends { readonly runId: string; readonly fence: number }>(one: One): One {
    return { ...one, fence: fencesOf.get(one.runId)?.[one.fence - 1] ?? one.fence };
  }

  function countedOutcome(outcome: LeaseOutcome): LeaseOutcome {
    return outcome.outcome === "granted" ? { ...outcome, run: counted(outcome.run) } : outcome;
  }

  function realAppender(request: AppendRequest): AppendRequest {
    const { runId, appender } = request;
    if (appender.by !== "worker") return request;
    const { fence } = real({ runId, fence: appender.fence });
    return { ...request, appender: { by: "worker", fence } };
  }

  return {
    ...store,
    append: (requests) => store.append(requests.map(realAppender)),
    claim: async (request) => countedOutcome(await store.claim(request)),
    renew: (request) => store.renew(real(request)),
    release: async (request) => countedOutcome(await store.release(real(request))),
    async getRun(runId, ownerId) {
      const run = await store.getRun(runId, ownerId);
      return run === null ? null : counted(run);
    },
    async read(queries) {
      const pages = await store.read(queries);
      return pages.map((page) => (page === null ? null : { ...page, run: counted(page.run) }));
    },
  };
}
