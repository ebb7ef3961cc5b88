import { runEventStoreConformance, type StoreDoors } from "@tm/run-events-conformance";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { appendMutants } from "./mutants/append-mutants.ts";
import { durabilityMutants } from "./mutants/durability-mutants.ts";
import { handoverMutants } from "./mutants/handover-mutants.ts";
import { lifeMutants } from "./mutants/life-mutants.ts";
import { listMutants } from "./mutants/list-mutants.ts";
import { outcomeMutants } from "./mutants/outcome-mutants.ts";
import { payloadMutants } from "./mutants/payload-mutants.ts";
import { raceMutants } from "./mutants/race-mutants.ts";
import { readMutants } from "./mutants/read-mutants.ts";
import { watchMutants } from "./mutants/watch-mutants.ts";
import { sharedMemoryDoors } from "./shared-memory.ts";

/** Runs the cases of one clause, or all of them, and says which failed. */
async function failuresOf(doors: StoreDoors, clause?: string): Promise<readonly string[]> {
  const cases = runEventStoreConformance({ name: "mutant", ...doors }).filter(
    (one) => clause === undefined || one.clause === clause,
  );
  expect(cases).not.toEqual([]);
  const failed: string[] = [];
  let left = cases.length;
  for (const { name, run } of cases) {
    run()
      .catch(() => failed.push(name))
      .finally(() => (left -= 1));
  }
  // A bell that never rings is waited for in vain: the clock is ours, so that takes no time.
  while (left > 0) await vi.advanceTimersByTimeAsync(100);
  return failed;
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe("the kit", () => {
  it("finds nothing in the store that the mutants break", async () => {
    expect(await failuresOf(sharedMemoryDoors())).toEqual([]);
  });

  for (const mutant of [
    ...appendMutants,
    ...outcomeMutants,
    ...payloadMutants,
    ...readMutants,
    ...listMutants,
    ...watchMutants,
    ...handoverMutants,
    ...raceMutants,
    ...lifeMutants,
    ...durabilityMutants,
  ]) {
    it(`${mutant.clause} finds a store that ${mutant.name}`, async () => {
      const failures = await failuresOf(mutant.doors ?? sharedMemoryDoors(mutant), mutant.clause);
      expect(failures).not.toEqual([]);
    });
  }
});
