import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createWatchers } from "../src/store/watchers.ts";

/** Lets the microtask of `ring` run. */
const soon = (): Promise<void> => new Promise((resolve) => queueMicrotask(resolve));

describe("createWatchers", () => {
  type Step =
    | { readonly do: "add" | "ring"; readonly run: number }
    | { readonly do: "take off"; readonly bell: number }
    | { readonly do: "ring all" | "clear" | "wait" };
  const run = fc.nat({ max: 2 });
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.record({ do: fc.constantFrom("add" as const, "ring" as const), run }),
    fc.record({ do: fc.constant("take off" as const), bell: fc.nat({ max: 5 }) }),
    fc.record({ do: fc.constantFrom("ring all" as const, "wait" as const, "wait" as const) }),
    fc.record({ do: fc.constant("clear" as const) }),
  );

  it("S13, S14: rings who watches the run, once for what merges, and never who was taken off", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const watchers = createWatchers();
        const bells: { run: string; rings: number; off: () => void; on: boolean }[] = [];
        let due = new Set<string>();
        const wait = async (): Promise<void> => {
          const before = bells.map((bell) => bell.rings);
          await soon();
          bells.forEach((bell, at) => {
            expect(bell.rings).toBe((before[at] ?? 0) + (bell.on && due.has(bell.run) ? 1 : 0));
          });
          due = new Set();
        };
        for (const one of steps) {
          if (one.do === "add") {
            const bell = { run: `r${one.run}`, rings: 0, off: (): void => {}, on: true };
            bell.off = watchers.add(bell.run, () => (bell.rings += 1));
            bells.push(bell);
          } else if (one.do === "ring") {
            watchers.ring(`r${one.run}`);
            if (bells.some((bell) => bell.on && bell.run === `r${one.run}`)) due.add(`r${one.run}`);
          } else if (one.do === "ring all") {
            watchers.ringAll();
            for (const bell of bells) if (bell.on) due.add(bell.run);
          } else if (one.do === "take off") {
            const bell = bells[one.bell];
            bell?.off();
            if (bell !== undefined) bell.on = false;
          } else if (one.do === "clear") {
            watchers.clear();
            for (const bell of bells) bell.on = false;
          } else await wait();
          const watched = new Set(bells.filter((bell) => bell.on).map((bell) => bell.run));
          expect(new Set(watchers.runIds())).toStrictEqual(watched);
        }
        await wait();
      }),
      { numRuns: 300 },
    );
  });

  it("S13: rings behind the synchronous work that rang it", async () => {
    const watchers = createWatchers();
    const order: string[] = [];
    watchers.add("r", () => order.push("wake"));
    watchers.ring("r");
    order.push("answered");
    await soon();
    expect(order).toStrictEqual(["answered", "wake"]);
  });

  it("S14: the same function added twice is two bells", async () => {
    const watchers = createWatchers();
    let rings = 0;
    const wake = (): void => void (rings += 1);
    const off = watchers.add("r", wake);
    watchers.add("r", wake);
    watchers.ring("r");
    await soon();
    expect(rings).toBe(2);
    off();
    off();
    watchers.ring("r");
    await soon();
    expect(rings).toBe(3);
  });

  it("S14: a bell that another one's wake takes off stays silent", async () => {
    const watchers = createWatchers();
    const rung: string[] = [];
    const offs = ["a", "b"].map((name, at) =>
      watchers.add("r", () => {
        rung.push(name);
        offs[1 - at]?.();
      }),
    );
    watchers.ring("r");
    await soon();
    expect(rung).toStrictEqual(["a"]);
  });

  it("S13: a ring from within a wake rings again", async () => {
    const watchers = createWatchers();
    let rings = 0;
    watchers.add("r", () => {
      rings += 1;
      if (rings < 3) watchers.ring("r");
    });
    watchers.ring("r");
    await soon();
    await soon();
    await soon();
    expect(rings).toBe(3);
  });

  it("S18: after a wake has stopped all watches, no other watch is woken", async () => {
    const watchers = createWatchers();
    const woken: string[] = [];
    watchers.add("r", () => {
      woken.push("first");
      watchers.clear();
    });
    watchers.add("r", () => woken.push("second"));
    watchers.add("s", () => woken.push("third"));
    watchers.ringAll();
    await soon();
    expect(woken).toStrictEqual(["first"]);
  });
});
