import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RunEventsError } from "../src/rules/errors.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import type { WorkedRun } from "../src/work/worked-run.ts";
import type { RunEventStore } from "../src/store/store.ts";
import { createAdasRuns } from "./adas-runs.ts";
import { createDeferred } from "./deferred.ts";
import { createWorkWorld, LEASE, LEASE_MS } from "./work-world.ts";

type Step =
  | { readonly do: "emit" | "wait" | "away" }
  | { readonly do: "append"; readonly count: number; readonly isAwaited: boolean };

describe("work, with any task over any store", () => {
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant("emit" as const) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("wait" as const, "away" as const) }) },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant("append" as const),
        count: fc.integer({ min: 1, max: 3 }),
        isAwaited: fc.boolean(),
      }),
    },
  );

  it("W9, S7: the log is what the task appended, each event once, in order, without a gap but refused appends", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), fc.boolean(), async (steps, loses) => {
        let fates = 0;
        async function meet<Answer>(go: () => Promise<Answer>): Promise<Answer> {
          if (fates === 0) return go();
          fates -= 1;
          // Where acknowledgements get lost, every other write that fails has landed.
          if (loses && fates % 2 === 0) await go();
          throw new RunEventsError("store_unavailable", "The store is away.", { ambiguous: loses });
        }
        await using one = await createWorkWorld((now) => {
          const store = createMemoryStore({ now });
          return {
            ...store,
            capabilities: { ...store.capabilities, losesAnswers: loses },
            append: (plains) => meet(() => store.append(plains)),
            change: (changes) => meet(() => store.change(changes)),
          };
        });
        const given: { readonly name: string; readonly landed: Promise<boolean> }[] = [];
        const work = one.runs.work("r", LEASE, async (run: WorkedRun) => {
          for (const [at, step] of steps.entries()) {
            if (step.do === "emit") {
              given.push({ name: `E${at}`, landed: Promise.resolve(true) });
              void run.emit(`E${at}`);
            } else if (step.do === "append") {
              const eventTypes = Array.from({ length: step.count }, (_, of) => `A${at}_${of}`);
              const landed = run.append(eventTypes.map((eventType) => ({ eventType }))).then(
                () => true,
                () => false,
              );
              given.push(...eventTypes.map((name) => ({ name, landed })));
              if (step.isAwaited) await landed;
            } else if (step.do === "away") fates = 3;
            else await one.settle();
          }
        });
        await Promise.race([work, one.pass(6 * LEASE_MS)]);
        await work;
        const expected: string[] = [];
        for (const { name, landed } of given) if (await landed) expected.push(name);
        expect(await one.events()).toStrictEqual([...expected, "RUN_COMPLETED"]);
        expect(one.leftOvers()).toBe(0);
      }),
      { numRuns: 100 },
    );
  });

  it("S7: what an owner's workers emit lands, although more waits for the store than one owner may have there", async () => {
    const memory = createMemoryStore();
    const gate = createDeferred<void>();
    const store: RunEventStore = {
      ...memory,
      append: (requests) => gate.promise.then(() => memory.append(requests)),
    };
    const runs = createAdasRuns({ store });
    const started = Array.from({ length: 40 }, () =>
      runs.start({ leaseMs: 600_000 }, ({ emit }) => {
        for (let count = 0; count < 4; count += 1) void emit("TEXT", "x".repeat(250_000));
      }),
    );
    const works = (await Promise.all(started)).map(({ done }) => done);
    for (let turns = 0; turns < 10; turns += 1) await setImmediate();
    gate.resolve();
    await Promise.all(works);
    const { runs: all } = await runs.list();
    expect(new Set(all.map(({ runStatus }) => runStatus))).toEqual(new Set(["completed"]));
    await runs.close();
  });
});
