import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planGroup } from "../src/log/plan-group.ts";
import { createBench, endOfTurns, nextGroup } from "./batcher-bench.ts";

const MAX_WEIGHT = 40;

const item = fc.record({ weight: fc.oneof(fc.nat(3), fc.nat(60)) });
const owners = fc.array(fc.array(item, { maxLength: 12 }), { maxLength: 5 });
const maxItems = fc.integer({ min: 1, max: 12 });

describe("planGroup", () => {
  it("S2: a group has items from the front of each owner, within its bounds, and is empty only if nothing waits", () => {
    fc.assert(
      fc.property(owners, maxItems, (waiting, most) => {
        const counts = planGroup(waiting, { maxItems: most, maxWeight: MAX_WEIGHT });
        const group = waiting.flatMap((items, at) => items.slice(0, counts[at]));
        expect(group.length).toBe(counts.reduce((sum, count) => sum + count, 0));
        expect(group.length).toBeLessThanOrEqual(most);
        expect(group.length > 0).toBe(waiting.some(({ length }) => length > 0));
        const weight = group.reduce((sum, one) => sum + one.weight, 0);
        if (group.length > 1) expect(weight).toBeLessThanOrEqual(MAX_WEIGHT);
        // Nothing that fits is left.
        if (group.length === most) return;
        for (const [at, items] of waiting.entries()) {
          const next = items[counts[at] ?? 0];
          if (next !== undefined) expect(weight + next.weight).toBeGreaterThan(MAX_WEIGHT);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it("owners get the same number, but for one: an owner has fewer only if its next item did not fit, or none was left", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 2, maxLength: 5 }),
        fc.integer({ min: 5, max: 40 }),
        (lengths, most) => {
          const waiting = lengths.map((length) =>
            Array<{ weight: number }>(length).fill({ weight: 1 }),
          );
          const counts = planGroup(waiting, { maxItems: most, maxWeight: MAX_WEIGHT });
          const full = Math.max(...counts);
          for (const [at, count] of counts.entries())
            expect(count).toBeGreaterThanOrEqual(Math.min(lengths[at] ?? 0, full - 1));
        },
      ),
    );
  });

  it("the first owner in turn gets its first item, however heavy, and those after it what still fits", () => {
    const heavy = { weight: 100 };
    const light = { weight: 1 };
    const bounds = { maxItems: 10, maxWeight: MAX_WEIGHT };
    expect(planGroup([[heavy, light], [light]], bounds)).toEqual([1, 0]);
    expect(planGroup([[light], [heavy, light], [light, light]], bounds)).toEqual([1, 0, 2]);
  });
});

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
    const seen: (readonly [number, string | null, number])[] = [];
    const { batcher, answer } = createBench({
      admit: (queued, owner, owned) => void seen.push([queued, owner, owned]),
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
