import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { expect, it } from "vitest";
import { Turns, type WorkSize } from "../src/bounds/turns.ts";

const piece = fc.record({
  owner: fc.constantFrom("ada", "bob", "eve"),
  size: fc.constantFrom<WorkSize>("short", "large"),
});
/** The number of turns of the event loop from one piece to the next. */
const UNTIL_NEXT = { short: 1, large: 9 };

it("W49: a turn of the event loop has one piece of work, eight turns follow a large one, and owners that wait take turns", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 20 }), async (pieces) => {
      const turns = new Turns();
      const done: { readonly at: number; readonly owner: string; readonly turn: number }[] = [];
      let turn = 0;
      for (const [at, { owner, size }] of pieces.entries())
        void turns.take(owner, size).then(() => done.push({ at, owner, turn }));
      await Promise.resolve();
      expect(done).toEqual([]);
      while (done.length < pieces.length) {
        turn += 1;
        await setImmediate();
        expect(turn).toBeLessThanOrEqual(9 * pieces.length);
      }
      for (const [place, one] of done.entries()) {
        const before = done[place - 1];
        if (before === undefined) continue;
        const { size } = pieces[before.at] ?? { size: "short" };
        expect(one.turn - before.turn).toBe(UNTIL_NEXT[size]);
      }
      for (const [owner, mine] of Map.groupBy(done, (one) => one.owner)) {
        const order = mine.map(({ at }) => at);
        expect(order).toEqual(order.toSorted((a, b) => a - b));
        // While a piece waits, each other owner has one turn at most before it.
        const places = [-1, ...mine.map((one) => done.indexOf(one))];
        for (const [index, place] of places.entries()) {
          const next = places[index + 1];
          if (next === undefined) continue;
          const between = done.slice(place + 1, next).map((one) => one.owner);
          expect(between).not.toContain(owner);
          expect(new Set(between).size).toBe(between.length);
        }
      }
    }),
  );
});

it("W49: a piece that comes soon after a large one waits until the turns of small requests are over", async () => {
  const turns = new Turns();
  await turns.take("ada", "large");
  let waited = 0;
  let hasGone = false;
  void turns.take("bob", "short").then(() => (hasGone = true));
  while (!hasGone) {
    waited += 1;
    await setImmediate();
  }
  expect(waited).toBe(UNTIL_NEXT.large);
});
