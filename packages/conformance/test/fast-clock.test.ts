import { expect, it } from "vitest";
import { failuresAtOnce } from "./kills/mutant-suite.ts";
import { onFastClock } from "./kills/on-fast-clock.ts";
import { storeCases } from "./mutants/mutant.ts";
import { sharedMemoryDoors } from "./shared-memory.ts";

it("a mutant that does not run is found by no case", async () => {
  const missing: { readonly append?: () => never } = {};
  const doors = sharedMemoryDoors({
    data: (data) => ({ ...data, append: async () => (missing.append as () => never)() }),
  });
  await expect(onFastClock(() => failuresAtOnce(storeCases(doors)))).rejects.toThrow(
    "Expected a mutant that runs",
  );
});

it("work that fails while the clock runs fails the same way", async () => {
  const failure = new Error("no");
  async function work(): Promise<never> {
    // The clock's own time: it passes as fast as the clock runs.
    await new Promise((resolve) => setTimeout(resolve, 25));
    throw failure;
  }
  await expect(onFastClock(work)).rejects.toBe(failure);
});
