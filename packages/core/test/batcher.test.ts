import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  createBench,
  endOfTurns,
  item,
  type Item,
  LATE_MS,
  nextGroup,
  type Sending,
} from "./batcher-bench.ts";

describe("a batcher", () => {
  type Step = { readonly add: Item } | "answer" | "turn" | "late" | "settle";
  const steps = fc.array(
    fc.oneof(
      fc
        .record({
          weight: fc.oneof(fc.nat({ max: 12 }), fc.nat({ max: 2 })),
          key: fc.nat({ max: 3 }),
        })
        .map(({ weight, key }): Step => ({ add: item(0, weight, key) })),
      fc.constantFrom<Step>("answer", "turn", "late", "settle"),
    ),
    { maxLength: 40 },
  );

  it("S2: a batcher keeps each key's order, bounds each group, has no key in two groups, and gives each call its own answer", async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 3 }), async (script, groupsAtOnce) => {
        const { batcher, groups, sending, answer, clock } = createBench({ groupsAtOnce });
        const settled = new Set<number>();
        function settleFirst(): void {
          const first = sending().findLast(({ items: [one] }) => one && !settled.has(one.name));
          const name = first?.items[0]?.name ?? 0;
          first?.settle(0, `answer ${name}`);
          settled.add(name);
        }
        const answers: Promise<string>[] = [];
        for (const step of script) {
          if (step === "turn") await setImmediate();
          else if (step === "late") clock.advance(LATE_MS);
          else if (step === "answer") answer();
          else if (step === "settle") settleFirst();
          else answers.push(batcher.add({ ...step.add, name: answers.length }));
          const open = sending().map(({ items }) => items.filter(({ name }) => !settled.has(name)));
          const keys = open.map((items) => new Set(items.map(({ runId }) => runId)));
          expect(keys.length).toBeLessThanOrEqual(15 + groupsAtOnce);
          const inFlight = keys.flatMap((set) => [...set]);
          expect(new Set(inFlight).size).toBe(inFlight.length);
        }
        let idle = false;
        const whenIdle = batcher.idle().then(() => (idle = true));
        while (!idle) {
          await setImmediate();
          answer();
        }
        await whenIdle;
        expect(clock.timers()).toBe(0);
        const sent = groups.flat();
        expect(sent.map(({ name }) => name).toSorted((a, b) => a - b)).toStrictEqual([
          ...answers.keys(),
        ]);
        for (const names of Object.values(Object.groupBy(sent, ({ runId }) => runId)))
          expect(names?.map(({ name }) => name)).toStrictEqual(
            names?.map(({ name }) => name).toSorted((a, b) => a - b),
          );
        for (const group of groups) {
          expect(group.length).toBeGreaterThanOrEqual(1);
          expect(group.length).toBeLessThanOrEqual(4);
          const weight = group.reduce((sum, one) => sum + one.weight, 0);
          if (group.length > 1) expect(weight).toBeLessThanOrEqual(10);
        }
        expect(await Promise.all(answers)).toStrictEqual(answers.map((_, at) => `answer ${at}`));
      }),
      { numRuns: 300 },
    );
  });

  it("a single item is sent at the end of its turn, and several together with the items of the next turn", async () => {
    const { batcher, groups, answer } = createBench();
    const alone = batcher.add(item(0));
    await setImmediate();
    expect(groups).toStrictEqual([[item(0)]]);
    answer();
    await Promise.all([alone, batcher.idle()]);
    const first = [batcher.add(item(1)), batcher.add(item(2))];
    await setImmediate();
    const joined = batcher.add(item(3));
    expect(groups).toHaveLength(1);
    await setImmediate();
    expect(groups[1]).toStrictEqual([item(1), item(2), item(3)]);
    answer();
    await Promise.all([...first, joined]);
  });

  it("items that wait for a busy key do not delay a group, and a full group does not wait", async () => {
    const { batcher, groups, answer } = createBench({ groupsAtOnce: 2, maxItems: 2 });
    const stuck = [batcher.add(item(0, 1, 7)), batcher.add(item(1, 1, 7))];
    await setImmediate();
    expect(groups).toHaveLength(1);
    const later = batcher.add(item(2, 1, 7));
    const alone = batcher.add(item(3, 1, 8));
    await setImmediate();
    expect(groups[1]).toStrictEqual([item(3, 1, 8)]);
    answer();
    answer();
    await Promise.all([...stuck, alone]);
    await nextGroup();
    answer();
    await later;
  });

  it("a send that fails rejects its group, and no other", async () => {
    const { batcher, answer, sending, groups } = createBench();
    const failure = new Error("no");
    const lost = [batcher.add(item(0)), batcher.add(item(1))];
    await endOfTurns();
    const kept = batcher.add(item(2));
    sending()[0]?.done.reject(failure);
    await Promise.allSettled(lost);
    (sending() as Sending[]).shift();
    const results = await Promise.allSettled(lost);
    expect(results).toStrictEqual([
      { status: "rejected", reason: failure },
      { status: "rejected", reason: failure },
    ]);
    await endOfTurns();
    answer();
    expect(await kept).toBe("answer 2");
    expect(groups).toStrictEqual([[item(0), item(1)], [item(2)]]);
  });

  it("an item is rejected if its answer is an error, or if it gets none", async () => {
    const { batcher } = createBench({
      async send([first, second]) {
        first?.settle("yes");
        first?.settle("again");
        second?.settle(new Error("no"));
      },
    });
    const [yes, no, none] = await Promise.allSettled(
      [0, 1, 2].map((name) => batcher.add(item(name))),
    );
    expect(yes).toStrictEqual({ status: "fulfilled", value: "yes" });
    expect(no).toMatchObject({ status: "rejected", reason: { message: "no" } });
    expect(none).toMatchObject({ status: "rejected", reason: expect.any(TypeError) });
  });
});
