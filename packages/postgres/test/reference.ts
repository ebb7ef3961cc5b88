import { createMemoryStore, type RunEventStore } from "@tm/run-events-core";
import fc from "fast-check";
import { expect } from "vitest";
import { arbitraryRequest } from "./arbitrary-request.ts";
import { createOf, queryOf } from "./requests.ts";

/** Sends random groups to the store and to core's own; fails unless outcomes and logs are the same. */
export async function expectAsReference(store: RunEventStore, numRuns: number): Promise<void> {
  const groups = fc.array(
    fc.array(arbitraryRequest(["a", "B", "missing"]), { minLength: 1, maxLength: 12 }),
    { minLength: 1, maxLength: 5 },
  );
  let programs = 0;
  await fc.assert(
    fc.asyncProperty(groups, async (appends) => {
      const reference = createMemoryStore();
      const program = ++programs;
      const nameOf = (runId: string): string => `${runId}-${program}`;
      for (const runId of ["a", "B"]) {
        await store.createRun(createOf(nameOf(runId)));
        await reference.createRun(createOf(nameOf(runId)));
      }
      for (const group of appends) {
        const named = group.map((request) => ({ ...request, runId: nameOf(request.runId) }));
        expect(await store.append(named)).toEqual(await reference.append(named));
      }
      const runIds = ["a", "B", "missing"].map(nameOf);
      expect(await stateOf(store, runIds)).toEqual(await stateOf(reference, runIds));
    }),
    { numRuns },
  );
}

/** What pages say of runs, without what two stores cannot have in common. */
async function stateOf(store: RunEventStore, runIds: readonly string[]): Promise<unknown> {
  const pages = await store.read(
    runIds.flatMap((runId) => [0, 1, 3].map((since) => queryOf(runId, { since, limit: 4 }))),
  );
  return pages.map((page) =>
    page === null
      ? null
      : {
          phaseAtSince: page.phaseAtSince,
          run: { ...page.run, ordinal: 0, createdAtMs: 0, updatedAtMs: 0, finishedAtMs: 0 },
          events: page.events.map((event) => ({ ...event, createdAtMs: 0 })),
        },
  );
}
