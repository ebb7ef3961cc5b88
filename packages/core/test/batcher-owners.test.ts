import { describe, expect, it } from "vitest";
import { createBench, endOfTurns, nextGroup } from "./batcher-bench.ts";

describe("a batcher with several owners", () => {
  it("a quiet owner's item is in the group after the one that it met, even if another owner adds very much", async () => {
    const { batcher, groups, answer } = createBench({
      maxItems: 4,
      maxWeight: 10,
      sharedWeight: 4,
    });
    const flood = (round: number): void => {
      for (let at = 0; at < 50; at++)
        void batcher.add({ name: round, weight: 2, key: round * 100 + at, owner: "flood" });
    };
    flood(1);
    await endOfTurns();
    for (let round = 2; round < 10; round++) {
      const quiet = { name: 0, weight: 1, key: round, owner: "quiet" };
      void batcher.add(quiet);
      flood(round);
      const before = groups.length;
      answer();
      await nextGroup();
      expect(groups[before]).toContainEqual(quiet);
      expect(groups[before]?.length).toBeGreaterThan(1);
    }
    // The rest lands too.
    let idle = false;
    void batcher.idle().then(() => (idle = true));
    while (!idle) {
      answer();
      await nextGroup();
    }
  });

  it("admit gets the weight of the item's owner in the queue, without items that were sent", async () => {
    const seen: (readonly [number, string | undefined, number])[] = [];
    const { batcher, answer } = createBench({
      admit: (queued, owned, { owner }) => void seen.push([queued, owner, owned]),
    });
    for (const [name, owner] of ["ada", "ada", "bob"].entries())
      void batcher.add({ name, weight: 3, key: name, owner });
    await endOfTurns();
    void batcher.add({ name: 9, weight: 1, key: 9, owner: "ada" });
    expect(seen).toEqual([
      [0, "ada", 0],
      [3, "ada", 3],
      [6, "bob", 0],
      [0, "ada", 0],
    ]);
    answer();
    await nextGroup();
    answer();
  });
});
