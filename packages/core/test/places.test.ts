import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { expect, it } from "vitest";
import { createPlaces } from "../src/bounds/places.ts";

it("W49: an owner with one place has one piece of work at a time, in order, even after a failure; other owners do not wait", async () => {
  const places = createPlaces(1);
  const log: string[] = [];
  const ends = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const work = (name: string, end?: Promise<void>) => async (): Promise<string> => {
    log.push(name);
    await end;
    return name;
  };
  const first = places.run("ada", work("first", ends[0]?.promise));
  const second = places.run("ada", work("second", ends[1]?.promise));
  const third = places.run("ada", work("third"));
  expect(await places.run("bob", work("bob's"))).toBe("bob's");
  expect(log).toEqual(["first", "bob's"]);
  ends[0]?.reject(new Error("gone"));
  await expect(first).rejects.toThrow("gone");
  await setImmediate();
  expect(log).toEqual(["first", "bob's", "second"]);
  ends[1]?.resolve();
  expect(await Promise.all([second, third])).toEqual(["second", "third"]);
});

const call = fc.record({ owner: fc.constantFrom("ada", "bob"), fails: fc.boolean() });

it("W49: an owner's work takes at most its places, and all of them while more waits, in the order of the calls", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(call, { maxLength: 20 }),
      fc.scheduler(),
      async (most, calls, scheduler) => {
        const places = createPlaces(most);
        const begun = new Map([
          ["ada", [] as number[]],
          ["bob", [] as number[]],
        ]);
        const ended = new Map([
          ["ada", 0],
          ["bob", 0],
        ]);
        const results = calls.map(async ({ owner, fails }, at) =>
          places.run(owner, async () => {
            begun.get(owner)?.push(at);
            await scheduler.schedule(Promise.resolve());
            ended.set(owner, (ended.get(owner) ?? 0) + 1);
            if (fails) throw new Error("failed");
            return at;
          }),
        );
        const settled = Promise.allSettled(results);
        for (let left = true; left;) {
          await setImmediate();
          for (const [owner, mine] of begun) {
            const all = calls.filter((one) => one.owner === owner).length;
            const over = ended.get(owner) ?? 0;
            expect(mine.length - over).toBe(Math.min(most, all - over));
            expect(mine).toEqual(mine.toSorted((x, y) => x - y));
          }
          left = scheduler.count() > 0;
          if (left) await scheduler.waitOne();
        }
        expect(await settled).toMatchObject(
          calls.map(({ fails }, at) => (fails ? { status: "rejected" } : { value: at })),
        );
      },
    ),
  );
});
