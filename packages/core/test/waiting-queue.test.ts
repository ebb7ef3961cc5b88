import fc from "fast-check";
import { expect, it } from "vitest";
import type { WaitingItem } from "../src/log/plan-group.ts";
import { WaitingQueue } from "../src/log/waiting-queue.ts";
import { createFakeClock } from "./fake-clock.ts";

interface Item extends WaitingItem {
  readonly name: number;
}

const KEYS = ["ada 1", "ada 2", "bob 1", "eve 1"];
const ownerOf = (key: string): string => key.slice(0, 3);

const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ key: fc.constantFrom(...KEYS), weight: fc.nat(12) }) },
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
      for (const one of steps) {
        if ("passMs" in one) clock.advance(one.passMs);
        else if ("busy" in one) {
          const busy = new Set(one.busy);
          const ready = waiting.filter(({ key }) => !busy.has(key));
          expect(queue.countReady(busy)).toBe(ready.length);
          const bounds = { busy, maxItems: one.maxItems, maxWeight: 20, sharedWeight: 10 };
          const group = queue.cut(bounds);
          expect(group.length > 0).toBe(ready.length > 0);
          for (const key of KEYS) {
            const of = (items: readonly Item[]) => items.filter((item) => item.key === key);
            expect(of(group)).toStrictEqual(of(ready).slice(0, of(group).length));
          }
          waiting = waiting.filter((item) => !group.includes(item));
        } else {
          const item = {
            name: (names += 1),
            key: one.key,
            owner: ownerOf(one.key),
            weight: one.weight,
          };
          queue.add(item);
          waiting = [...waiting, item];
        }
        expect(queue.length).toBe(waiting.length);
        expect(queue.weight).toBe(weightOf(waiting));
        for (const owner of new Set(KEYS.map(ownerOf)))
          expect(queue.weightOf(owner)).toBe(
            weightOf(waiting.filter((item) => item.owner === owner)),
          );
      }
    }),
    { numRuns: 500 },
  );
});

function weightOf(items: readonly Item[]): number {
  return items.reduce((sum, { weight }) => sum + weight, 0);
}
