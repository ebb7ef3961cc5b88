import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type GroupBounds, planGroup, type WaitingItem } from "../src/log/plan-group.ts";
import { createBench, endOfTurns, nextGroup } from "./batcher-bench.ts";

interface Item extends WaitingItem {
  readonly name: number;
}

const MAX_WEIGHT = 40;
const SHARED_WEIGHT = 10;
const OWNERS = ["ada", "bob", "eve", "joe"] as const;
/** A run is one owner's. */
const KEYS = OWNERS.flatMap((owner) => [0, 1, 2].map((run) => ({ owner, key: `${owner} ${run}` })));

const item = fc.record({
  of: fc.constantFrom(...KEYS),
  weight: fc.oneof(fc.nat(3), fc.nat(60)),
});
const items = fc
  .array(item, { maxLength: 40 })
  .map((list) => list.map(({ of, weight }, name): Item => ({ ...of, weight, name })));
const bounds = fc
  .record({
    busy: fc.subarray(KEYS, { maxLength: 4 }).map((keys) => new Set(keys.map(({ key }) => key))),
    maxItems: fc.integer({ min: 1, max: 12 }),
    isShared: fc.boolean(),
    turns: fc
      .array(fc.tuple(fc.constantFrom(...OWNERS), fc.nat(9)))
      .map((turns) => new Map<string, number>(turns)),
  })
  .map((given): GroupBounds => ({
    ...given,
    maxWeight: MAX_WEIGHT,
    sharedWeight: SHARED_WEIGHT,
    turn: 10,
  }));

const namesOf = (list: readonly Item[]): readonly number[] => list.map(({ name }) => name);
const weightOf = (list: readonly Item[]): number =>
  list.reduce((sum, { weight }) => sum + weight, 0);
const ascending = (numbers: readonly number[]): readonly number[] =>
  numbers.toSorted((a, b) => a - b);

describe("planGroup", () => {
  it("S2: a group loses and repeats nothing, keeps the order of the queue and of each key, and takes no busy key", () => {
    fc.assert(
      fc.property(items, bounds, (queue, given) => {
        const { group, rest } = planGroup(queue, given);
        expect(ascending(namesOf([...group, ...rest]))).toEqual(namesOf(queue));
        expect(namesOf(group)).toEqual(ascending(namesOf(group)));
        expect(namesOf(rest)).toEqual(ascending(namesOf(rest)));
        expect(group.filter(({ key }) => given.busy.has(key))).toEqual([]);
        for (const key of new Set(queue.map((one) => one.key))) {
          const ofKey = namesOf([...group, ...rest].filter((one) => one.key === key));
          expect(ofKey).toEqual(ascending(ofKey));
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it("a group is bounded in items and weight, and is never empty if an item could be in it", () => {
    fc.assert(
      fc.property(items, bounds, (queue, given) => {
        const { group } = planGroup(queue, given);
        const ready = queue.filter(({ key }) => !given.busy.has(key));
        expect(group.length).toBeLessThanOrEqual(given.maxItems);
        expect(group.length > 0).toBe(ready.length > 0);
        if (group.length > 1) expect(weightOf(group)).toBeLessThanOrEqual(MAX_WEIGHT);
        const isShared = new Set(ready.map(({ owner }) => owner)).size > 1;
        const heavy = group.find(({ weight }) => weight > SHARED_WEIGHT);
        const light = group.filter((one) => one !== heavy);
        if (isShared && light.length > 1)
          expect(weightOf(light)).toBeLessThanOrEqual(SHARED_WEIGHT);
      }),
      { numRuns: 1_000 },
    );
  });

  it("a group leaves no room that the next item of an owner could take", () => {
    const unit = fc.constantFrom("ada", "bob", "eve");
    fc.assert(
      fc.property(
        fc.array(unit, { maxLength: 40 }),
        fc.integer({ min: 1, max: 12 }),
        (owners, maxItems) => {
          const queue = owners.map((owner, name): Item => ({
            owner,
            key: `k${name}`,
            weight: 1,
            name,
          }));
          const { group } = planGroup(queue, alone({ maxItems, isShared: true }));
          expect(group).toHaveLength(Math.min(queue.length, maxItems, SHARED_WEIGHT));
        },
      ),
    );
  });

  it("the queue of one owner is cut from its front", () => {
    fc.assert(
      fc.property(items, bounds, (queue, given) => {
        const mine = queue.map((one) => ({ ...one, owner: "ada" }));
        const { group } = planGroup(mine, given);
        const ready = mine.filter(({ key }) => !given.busy.has(key));
        expect(group).toEqual(ready.slice(0, group.length));
        const next = ready[group.length];
        if (next === undefined || group.length === given.maxItems) return;
        const most = given.isShared ? SHARED_WEIGHT : MAX_WEIGHT;
        expect(weightOf(group) + next.weight).toBeGreaterThan(most);
      }),
      { numRuns: 500 },
    );
  });

  it("owners that all have enough get the same weight and number, even if some have more", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 10, max: 30 }), { minLength: 2, maxLength: 5 }),
        fc.integer({ min: 5, max: 10 }),
        (counts, maxItems) => {
          const queue = counts
            .flatMap((count, at) => Array<string>(count).fill(`owner ${at}`))
            .map((owner, name): Item => ({ owner, key: `k${name}`, weight: 1, name }));
          const { group } = planGroup(queue, alone({ maxItems }));
          const taken = counts.map(
            (_, at) => group.filter(({ owner }) => owner === `owner ${at}`).length,
          );
          expect(Math.max(...taken) - Math.min(...taken)).toBeLessThanOrEqual(1);
        },
      ),
    );
  });

  it("an owner's first item waits for no more groups than there are other owners, even if they add more", () => {
    const flood = fc.array(
      fc.array(fc.record({ at: fc.nat(4), weight: fc.integer({ min: 1, max: 60 }) }), {
        minLength: 1,
        maxLength: 12,
      }),
      { minLength: 8, maxLength: 12 },
    );
    fc.assert(
      fc.property(
        flood,
        fc.integer({ min: 1, max: 4 }),
        fc.nat(3),
        fc.integer({ min: 1, max: 50 }),
        (rounds, maxItems, arrival, weight) => {
          let queue: readonly Item[] = [];
          let turns: ReadonlyMap<string, number> = new Map();
          const others = new Set<string>();
          let waited = 0;
          for (const [round, added] of rounds.entries()) {
            const more = added.map(({ at, weight: heavy }, index): Item => {
              others.add(`other ${at}`);
              return { owner: `other ${at}`, key: `${round} ${index}`, weight: heavy, name: 0 };
            });
            const mine: Item = { owner: "quiet", key: "quiet", weight, name: 1 };
            queue = [...queue, ...more, ...(round === arrival ? [mine] : [])];
            const plan = planGroup(queue, { ...alone({ maxItems }), turns, turn: round + 1 });
            ({ turns } = plan);
            queue = plan.rest;
            if (round < arrival) continue;
            if (plan.group.some(({ name }) => name === 1)) break;
            waited += 1;
          }
          expect(waited).toBeLessThanOrEqual(others.size);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

function alone(given: Partial<GroupBounds>): GroupBounds {
  return {
    busy: new Set(),
    maxItems: 12,
    maxWeight: MAX_WEIGHT,
    sharedWeight: SHARED_WEIGHT,
    isShared: false,
    turns: new Map(),
    turn: 1,
    ...given,
  };
}

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
    const seen: (readonly [number, string, number])[] = [];
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
