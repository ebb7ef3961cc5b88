import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createTimetable, type Timed } from "../src/time/timetable.ts";

interface Item extends Timed {
  readonly name: number;
}

const item = (name: number): Item => ({ name, place: 0 });
const names = (items: readonly Item[]): readonly number[] =>
  items.map(({ name }) => name).toSorted((a, b) => a - b);

describe("createTimetable", () => {
  const step = fc.record({
    does: fc.constantFrom("add" as const, "set" as const, "remove" as const, "check" as const),
    which: fc.nat({ max: 20 }),
    time: fc.nat({ max: 5 }),
  });

  it("S13: a timetable has the same due items as a map of times, after any changes", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const timetable = createTimetable<Item>();
        const model = new Map<Item, number>();
        steps.forEach(({ does, which, time }, name) => {
          const chosen = [...model.keys()][which % Math.max(1, model.size)];
          if (does === "add") {
            const added = item(name);
            model.set(added, time);
            timetable.add(added, time);
          } else if (does === "check") {
            const due: Item[] = [];
            timetable.eachDue(time, (one) => due.push(one));
            expect(names(due)).toStrictEqual(
              names([...model].filter(([, at]) => time >= at).map(([one]) => one)),
            );
          } else if (chosen !== undefined && does === "set") {
            model.set(chosen, time);
            timetable.set(chosen, time);
          } else if (chosen !== undefined) {
            model.delete(chosen);
            timetable.remove(chosen);
          }
          expect(names(timetable.items)).toStrictEqual(names([...model.keys()]));
        });
      }),
    );
  });

  it("S13: a pass skips no due item while items are removed", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 20 }), (leaves) => {
        const timetable = createTimetable<Item>();
        const items = leaves.map((_, name) => item(name));
        for (const one of items) timetable.add(one, 1);
        const seen: Item[] = [];
        timetable.eachDue(1, (one) => {
          seen.push(one);
          if (leaves[one.name] === true) timetable.remove(one);
          else timetable.set(one, 2);
        });
        expect(names(seen)).toStrictEqual(names(items));
        expect(names(timetable.items)).toStrictEqual(
          names(items.filter(({ name }) => leaves[name] !== true)),
        );
      }),
    );
  });
});
