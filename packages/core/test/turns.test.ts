import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { expect, it } from "vitest";
import { createTurns, type WorkSize } from "../src/bounds/turns.ts";

const piece = fc.record({
  owner: fc.constantFrom("ada", "bob", "eve"),
  size: fc.constantFrom<WorkSize>("short", "large", "largest"),
});

it("W49: a turn of the event loop takes one larger piece of work or two short ones, and owners take turns", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 20 }), async (pieces) => {
      const turns = createTurns();
      const done: {
        readonly at: number;
        readonly owner: string;
        readonly turn: number;
        readonly cost: number;
      }[] = [];
      let turn = 0;
      let isFirst = false;
      // Has this turn at once, so that all the others wait.
      void turns.take("first", "large").then(() => (isFirst = true));
      for (const [at, { owner, size }] of pieces.entries())
        void turns
          .take(owner, size)
          .then(() => done.push({ at, owner, turn, cost: size === "short" ? 1 : 2 }));
      await Promise.resolve();
      expect([isFirst, done]).toEqual([true, []]);
      while (done.length < pieces.length) {
        turn += 1;
        const before = done.length;
        await setImmediate();
        expect(done.length).toBeGreaterThan(before);
      }
      for (const ofTurn of Map.groupBy(done, (one) => one.turn).values())
        expect(ofTurn.reduce((sum, { cost }) => sum + cost, 0)).toBeLessThanOrEqual(2);
      for (const [owner, mine] of Map.groupBy(done, (one) => one.owner)) {
        expect(mine.map(({ at }) => at)).toEqual(
          mine.map(({ at }) => at).toSorted((a, b) => a - b),
        );
        // While a piece waits, each other owner has one turn at most before it.
        const places = mine.map((one) => done.indexOf(one));
        for (const [index, place] of places.entries()) {
          const from = places[index - 1];
          if (from === undefined) continue;
          const between = done.slice(from + 1, place).map((one) => one.owner);
          expect(between).not.toContain(owner);
          expect(new Set(between).size).toBe(between.length);
        }
      }
      await setImmediate();
      await setImmediate();
      // No piece has run in this turn.
      let isNext = false;
      void turns.take("ada", "large").then(() => (isNext = true));
      await Promise.resolve();
      expect(isNext).toBe(true);
    }),
  );
});

it("W49: work that is over when its turn comes takes no part of a turn", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ piece, isOver: fc.boolean() }), { maxLength: 40 }),
      async (pieces) => {
        const turns = createTurns();
        await turns.take("first", "large");
        const over = new Set<number>();
        let done = 0;
        for (const [at, { piece: one }] of pieces.entries())
          void turns.take(one.owner, one.size, () => over.has(at)).then(() => (done += 1));
        for (const [at, { isOver }] of pieces.entries()) if (isOver) over.add(at);
        const left = pieces.filter(({ isOver }) => !isOver);
        const cost = left.reduce((sum, { piece: { size } }) => sum + (size === "short" ? 1 : 2), 0);
        let turn = 0;
        while (done < pieces.length) {
          turn += 1;
          await setImmediate();
        }
        // A short piece before a large one may leave half a turn.
        expect(turn).toBeLessThanOrEqual(Math.max(1, cost));
      },
    ),
  );
});

it("W49: the largest work gives way to the short requests of others, for 8 turns at most", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({ owner: fc.constantFrom("ada", "bob"), turns: fc.integer({ min: 0, max: 12 }) }),
        {
          maxLength: 6,
        },
      ),
      async (requests) => {
        const turns = createTurns();
        const atWork = new Map<string, number>([
          ["ada", 0],
          ["bob", 0],
        ]);
        for (const { owner, turns: lasts } of requests) {
          atWork.set(owner, Math.max(atWork.get(owner) ?? 0, lasts));
          void turns.goShort(owner, async () => {
            for (let turn = 0; turn < lasts; turn += 1) await setImmediate();
          });
        }
        let wentAt: number | null = null;
        let turn = 0;
        void turns.take("ada", "largest").then(() => (wentAt = turn));
        while (wentAt === null) {
          turn += 1;
          await setImmediate();
        }
        const others = atWork.get("bob") ?? 0;
        expect(wentAt).toBeGreaterThanOrEqual(Math.max(1, Math.min(others, 8)));
        expect(wentAt).toBeLessThanOrEqual(Math.max(1, Math.min(others + 2, 9)));
      },
    ),
  );
});

it("W49: a short request that fails makes no work wait", async () => {
  const turns = createTurns();
  await expect(turns.goShort("bob", () => Promise.reject(new Error("gone")))).rejects.toThrow(
    "gone",
  );
  let hasGone = false;
  void turns.take("ada", "largest").then(() => (hasGone = true));
  await setImmediate();
  expect(hasGone).toBe(true);
});
