import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Batcher, type BatcherOptions, createBatcher } from "../src/batcher.ts";
import { createDeferred, type Deferred } from "./deferred.ts";

interface Item {
  readonly name: number;
  readonly weight: number;
}

/** A batcher whose sends the test answers. */
interface Bench {
  readonly batcher: Batcher<Item, string>;
  readonly groups: (readonly Item[])[];
  /** The send under way. */
  readonly sending: () => Deferred<readonly (string | Error)[]> | undefined;
  readonly answer: () => void;
  readonly fail: (error: Error) => void;
}

const nameOf = ({ name }: Item): string => `answer ${name}`;

function createBench(options: Partial<BatcherOptions<Item, string>> = {}): Bench {
  const groups: (readonly Item[])[] = [];
  const sends: Deferred<readonly (string | Error)[]>[] = [];
  const batcher = createBatcher<Item, string>({
    send(items) {
      groups.push(items);
      const deferred = createDeferred<readonly (string | Error)[]>();
      sends.push(deferred);
      return deferred.promise;
    },
    weigh: ({ weight }) => weight,
    maxWeight: 10,
    maxItems: 4,
    ...options,
  });
  return {
    batcher,
    groups,
    sending: () => sends[0],
    answer() {
      expect(sends).toHaveLength(1);
      sends.shift()?.resolve(groups.at(-1)?.map(nameOf) ?? []);
    },
    fail(error) {
      expect(sends).toHaveLength(1);
      sends.shift()?.reject(error);
    },
  };
}

const item = (name: number, weight = 1): Item => ({ name, weight });

describe("createBatcher", () => {
  type Step = { readonly add: number } | "answer" | "turn";
  const steps = fc.array(
    fc.oneof(
      fc.oneof(fc.nat({ max: 12 }), fc.nat({ max: 2 })).map((add): Step => ({ add })),
      fc.constantFrom<Step>("answer", "turn"),
    ),
    { maxLength: 40 },
  );

  it("keeps the order, bounds each group, has one in flight, and gives each call its own answer", async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (script) => {
        const { batcher, groups, sending, answer } = createBench();
        const answers: Promise<string>[] = [];
        for (const step of script) {
          if (step === "turn") await setImmediate();
          else if (step === "answer") {
            if (sending() !== undefined) answer();
          } else answers.push(batcher.add(item(answers.length, step.add)));
        }
        let idle = false;
        const whenIdle = batcher.idle().then(() => (idle = true));
        while (!idle) {
          await setImmediate();
          if (sending() !== undefined) answer();
        }
        await whenIdle;
        expect(groups.flat().map(({ name }) => name)).toStrictEqual([...answers.keys()]);
        for (const group of groups) {
          expect(group.length).toBeGreaterThanOrEqual(1);
          expect(group.length).toBeLessThanOrEqual(4);
          const weight = group.reduce((sum, one) => sum + one.weight, 0);
          if (group.length > 1) expect(weight).toBeLessThanOrEqual(10);
        }
        expect(await Promise.all(answers)).toStrictEqual(answers.map((_, at) => `answer ${at}`));
      }),
      { numRuns: 100 },
    );
  });

  it("sends what one turn has added together, and what arrives meanwhile as the next group", async () => {
    const { batcher, groups, answer } = createBench();
    const first = [batcher.add(item(0)), batcher.add(item(1))];
    expect(groups).toHaveLength(0);
    await setImmediate();
    expect(groups).toStrictEqual([[item(0), item(1)]]);
    const second = [batcher.add(item(2)), batcher.add(item(3))];
    await setImmediate();
    expect(groups).toHaveLength(1);
    answer();
    expect(await Promise.all(first)).toStrictEqual(["answer 0", "answer 1"]);
    await setImmediate();
    expect(groups).toStrictEqual([
      [item(0), item(1)],
      [item(2), item(3)],
    ]);
    answer();
    await Promise.all(second);
  });

  it("sends an item alone that weighs more than a group may", async () => {
    const { batcher, groups, answer } = createBench();
    const answers = [batcher.add(item(0, 99)), batcher.add(item(1, 99))];
    await setImmediate();
    expect(groups).toStrictEqual([[item(0, 99)]]);
    answer();
    await answers[0];
    await setImmediate();
    answer();
    await answers[1];
    expect(groups).toStrictEqual([[item(0, 99)], [item(1, 99)]]);
  });

  it("rejects the group of a send that fails, and no other", async () => {
    const { batcher, answer, fail, groups } = createBench();
    const failure = new Error("no");
    const lost = [batcher.add(item(0)), batcher.add(item(1))];
    await setImmediate();
    const kept = batcher.add(item(2));
    fail(failure);
    const results = await Promise.allSettled(lost);
    expect(results).toStrictEqual([
      { status: "rejected", reason: failure },
      { status: "rejected", reason: failure },
    ]);
    await setImmediate();
    answer();
    expect(await kept).toBe("answer 2");
    expect(groups).toStrictEqual([[item(0), item(1)], [item(2)]]);
  });

  it("rejects a send that throws at once, and goes on", async () => {
    let calls = 0;
    const { batcher } = createBench({
      send(items) {
        calls += 1;
        if (calls === 1) throw new TypeError("misuse");
        return Promise.resolve(items.map(nameOf));
      },
    });
    await expect(batcher.add(item(0))).rejects.toThrow("misuse");
    await expect(batcher.add(item(1))).resolves.toBe("answer 1");
  });

  it("rejects the one whose answer is an error, and every one that got no answer", async () => {
    const { batcher } = createBench({ send: async () => ["yes", new Error("no")] });
    const [yes, no, none] = await Promise.allSettled(
      [0, 1, 2].map((name) => batcher.add(item(name))),
    );
    expect(yes).toStrictEqual({ status: "fulfilled", value: "yes" });
    expect(no).toMatchObject({ status: "rejected", reason: { message: "no" } });
    expect(none).toMatchObject({ status: "rejected", reason: expect.any(TypeError) });
  });

  it("refuses what is not admitted, by the weight that waits, without losing the rest", async () => {
    const weights: number[] = [];
    const { batcher, answer, groups } = createBench({
      admit(queued) {
        weights.push(queued);
        if (queued > 5) throw new Error("full");
      },
    });
    const first = [batcher.add(item(0, 3)), batcher.add(item(1, 3))];
    await expect(batcher.add(item(2))).rejects.toThrow("full");
    await setImmediate();
    // What is in flight waits no longer.
    const second = batcher.add(item(3, 1));
    expect(weights).toStrictEqual([0, 3, 6, 0]);
    answer();
    await Promise.all(first);
    await setImmediate();
    answer();
    await second;
    expect(groups.flat().map(({ name }) => name)).toStrictEqual([0, 1, 3]);
  });

  it("S18: is idle when nothing is queued or in flight, and not before", async () => {
    const { batcher, answer } = createBench();
    await batcher.idle();
    const added = batcher.add(item(0));
    let idle = false;
    const whenIdle = batcher.idle().then(() => (idle = true));
    await setImmediate();
    expect(idle).toBe(false);
    answer();
    await added;
    await whenIdle;
  });
});
