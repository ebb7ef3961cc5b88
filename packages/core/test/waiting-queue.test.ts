import fc from "fast-check";
import { expect, it } from "vitest";
import { type WaitingItem, WaitingQueue } from "../src/log/waiting-queue.ts";
import { createFakeClock } from "./fake-clock.ts";

interface Item extends WaitingItem {
  readonly name: number;
}

const OWNERS = ["ada", "bob", "eve"];
const KEYS = OWNERS.flatMap((owner) => ["k", "l", "m", "n"].map((key) => `${owner} ${key}`));

const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ key: fc.nat(3), owner: fc.nat(2), weight: fc.nat(12) }) },
  {
    weight: 1,
    arbitrary: fc.record({ busy: fc.subarray(KEYS), maxItems: fc.integer({ min: 1, max: 5 }) }),
  },
  { weight: 1, arbitrary: fc.record({ passMs: fc.constantFrom(1, 1_000) }) },
);

it("S2: a queue loses no item, keeps each key's order, leaves busy keys, and has the weight of each owner", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const clock = createFakeClock();
      const queue = new WaitingQueue<Item>(clock);
      let waiting: readonly Item[] = [];
      let names = 0;
      let last: string | null = null;
      let sharedUntilMs = Number.NEGATIVE_INFINITY;
      for (const one of steps) {
        if ("passMs" in one) clock.advance(one.passMs);
        else if ("busy" in one) {
          const busy = new Map(one.busy.map((key) => [key, 1]));
          const ready = waiting.filter(({ key }) => !busy.has(key));
          const bounds = { busy, maxItems: one.maxItems, maxWeight: 20, sharedWeight: 10 };
          const group = queue.cut(bounds);
          expect(group.length > 0).toBe(ready.length > 0);
          expect(group.length).toBeLessThanOrEqual(one.maxItems);
          const most = clock.now() < sharedUntilMs ? 10 : 20;
          if (group.length > 1) expect(weightOf(group)).toBeLessThanOrEqual(most);
          for (const key of KEYS) {
            const of = (items: readonly Item[]) => items.filter((item) => item.key === key);
            expect(of(group)).toStrictEqual(of(ready).slice(0, of(group).length));
          }
          // Nothing that fits is left.
          for (const owner of group.length < one.maxItems ? OWNERS : []) {
            const next = ready.find((item) => item.owner === owner && !group.includes(item));
            if (next !== undefined) expect(weightOf(group) + next.weight).toBeGreaterThan(most);
          }
          waiting = waiting.filter((item) => !group.includes(item));
        } else {
          const item = {
            name: (names += 1),
            key: KEYS[4 * one.owner + one.key] ?? "",
            owner: OWNERS[one.owner] ?? "",
            weight: one.weight,
          };
          queue.add(item);
          if (last !== null && item.owner !== last) sharedUntilMs = clock.now() + 1_000;
          last = item.owner;
          waiting = [...waiting, item];
        }
        expect(queue.length).toBe(waiting.length);
        expect(queue.weight).toBe(weightOf(waiting));
        for (const owner of OWNERS)
          expect(queue.weightOf(owner)).toBe(
            weightOf(waiting.filter((item) => item.owner === owner)),
          );
      }
    }),
    { numRuns: 500 },
  );
});

it("owners get the same number, but for one: an owner has fewer only if none was left", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 2, maxLength: 5 }),
      fc.integer({ min: 5, max: 40 }),
      (lengths, maxItems) => {
        const queue = new WaitingQueue<Item>(createFakeClock());
        for (const [owner, length] of lengths.entries())
          for (let name = 0; name < length; name++)
            queue.add({ owner: `${owner}`, key: `${owner} ${name}`, weight: 1, name });
        const bounds = { busy: new Map(), maxItems, maxWeight: 99, sharedWeight: 99 };
        const byOwner = Map.groupBy(queue.cut(bounds), ({ owner }) => owner);
        const counts = lengths.map((_, owner) => byOwner.get(`${owner}`)?.length ?? 0);
        const full = Math.max(...counts);
        for (const [at, count] of counts.entries())
          expect(count).toBeGreaterThanOrEqual(Math.min(lengths[at] ?? 0, full - 1));
      },
    ),
  );
});

it("a light item goes before a heavy one of another owner that came at the same time, and not before one that has waited", () => {
  const queue = new WaitingQueue<Item>(createFakeClock());
  const bounds = { busy: new Map(), maxItems: 9, maxWeight: 40, sharedWeight: 10 };
  const add = (owner: string, name: number, weight: number): void =>
    queue.add({ owner, key: `${owner} ${name}`, weight, name });
  const cut = (): readonly number[] => queue.cut(bounds).map(({ name }) => name);
  add("flood", 1, 60);
  add("quiet", 2, 1);
  expect(cut()).toEqual([2]);
  add("quiet", 3, 1);
  expect(cut()).toEqual([1]);
  expect(cut()).toEqual([3]);
});

it("an owner's first item waits for no more groups than there are other owners, even if they add more", () => {
  const added = fc.record({ at: fc.nat(4), weight: fc.integer({ min: 1, max: 60 }) });
  fc.assert(
    fc.property(
      fc.array(fc.array(added, { minLength: 1, maxLength: 12 }), { minLength: 8, maxLength: 12 }),
      fc.integer({ min: 1, max: 4 }),
      fc.nat(3),
      fc.integer({ min: 1, max: 50 }),
      (rounds, maxItems, arrival, weight) => {
        const queue = new WaitingQueue<Item>(createFakeClock());
        const others = new Set<string>();
        let waited = 0;
        for (const [round, more] of rounds.entries()) {
          for (const [index, { at, weight: heavy }] of more.entries()) {
            const owner = `other ${at}`;
            others.add(owner);
            queue.add({ owner, key: `${round} ${index}`, weight: heavy, name: 0 });
          }
          if (round === arrival) queue.add({ owner: "quiet", key: "quiet", weight, name: 1 });
          const bounds = { busy: new Map(), maxItems, maxWeight: 40, sharedWeight: 10 };
          const group = queue.cut(bounds);
          if (round < arrival) continue;
          if (group.some(({ name }) => name === 1)) break;
          waited += 1;
        }
        expect(waited).toBeLessThanOrEqual(others.size);
      },
    ),
    { numRuns: 1_000 },
  );
});

function weightOf(items: readonly Item[]): number {
  return items.reduce((sum, { weight }) => sum + weight, 0);
}
