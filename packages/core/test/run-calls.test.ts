import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRunCalls, type RunCalls } from "../src/log/run-calls.ts";
import type { RunName } from "../src/rules/head.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import type { RunEventStore } from "../src/store/store.ts";
import { createHastyClock } from "./hasty-clock.ts";
import { AMBIGUOUS, createLossyStore, type Fate } from "./lossy-store.ts";
import { appendRequest, newEvent } from "./run-record.ts";
import { RUN } from "./run-writes.ts";

describe("createRunCalls", () => {
  const RUNS = [RUN, { ...RUN, runId: "other" }] as const;
  const times = { isClosing: () => false, clock: createHastyClock(), report: null };

  /** A call on a run. */
  type Call = (calls: RunCalls, number: number, fence: number) => Promise<{ outcome: string }>;
  type Kind = (name: RunName, topic: string) => Call;

  function append(eventType: string): Kind {
    // Neighbours have the same key, and some keys are used again.
    return (name) => (calls, number) => {
      const idempotencyKey = `${eventType} ${Math.floor(number / 2) % 5}`;
      return calls.append(appendRequest([newEvent(eventType)], { ...name, idempotencyKey }));
    };
  }
  const create: Kind = (name, topic) => (calls) =>
    calls.create({ ...name, metadata: "null", topic, exclusive: true });
  const remove: Kind = (name) => async (calls) => ({ outcome: await calls.remove(name) });
  const leases: readonly Kind[] = [
    (name) => (calls, number) => calls.claim({ ...name, leaseMs: 10, claimKey: `${number}` }),
    (name) => (calls, _, fence) => calls.renew({ ...name, leaseMs: 10, fence }),
    (name) => (calls, _, fence) => calls.release({ ...name, fence }),
  ];
  const often = [create, append("TOKEN"), append("TOKEN"), remove];
  const kinds = fc.constantFrom(...often, ...often, append("RUN_FAILED"), ...leases);
  const names = fc.constantFrom(...RUNS);
  const few = { minLength: 1, maxLength: 4 };
  // Runs of one call may be created in any order, so each has its topic, or there is only one.
  const ofBoth = fc.array(
    fc.tuple(kinds, names).map(([kind, name]) => kind(name, name.runId)),
    few,
  );
  const ofOne = names.chain((name) =>
    fc.array(
      fc.tuple(kinds, fc.constantFrom("tea", "ice")).map(([kind, topic]) => kind(name, topic)),
      few,
    ),
  );
  const groups = fc.array(fc.oneof(ofBoth, ofOne), { maxLength: 12 });
  const losses = fc.array(fc.constantFrom<Fate>("answered", "landed", ...AMBIGUOUS), {
    maxLength: 30,
  });

  /** Makes the calls of each group. @returns what each answered, and the runs in the end */
  async function make(
    store: RunEventStore,
    all: readonly (readonly Call[])[],
    how: "at once" | "in turn",
  ): Promise<unknown> {
    const calls = createRunCalls(store, times);
    const answers: unknown[] = [];
    for (const group of all) {
      const run = await calls.get(RUN);
      const first = answers.length;
      const made: Promise<unknown>[] = [];
      for (const [at, one] of group.entries()) {
        made.push(one(calls, first + at, run?.fence ?? 1));
        if (how === "in turn") await made.at(-1);
      }
      answers.push(...(await Promise.all(made)));
    }
    const after = await Promise.all(RUNS.map((name) => calls.get(name)));
    return JSON.parse(JSON.stringify([answers, after], comparable)) as unknown;
  }

  it("S2, S7: calls at once, also of a store that loses answers, answer and do what they would one after the other, without losses", async () => {
    await fc.assert(
      fc.asyncProperty(groups, losses, async (all, fates) => {
        const now = (): number => 1_000;
        const lossy = createLossyStore(fates, createMemoryStore({ now }));
        const expected = await make(createMemoryStore({ now }), all, "in turn");
        expect(await make(lossy, all, "at once")).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });

  it("W35: creations of one run at once, in two topics, each look at their own topic", async () => {
    const calls = createRunCalls(createMemoryStore(), times);
    const [run, other] = RUNS;
    const request = { metadata: "null", exclusive: true };
    await calls.create({ ...request, ...other, topic: "tea" });
    const created = ["tea", "ice"].map((topic) => calls.create({ ...request, ...run, topic }));
    expect(await Promise.all(created)).toMatchObject([
      { outcome: "topic_busy", runId: "other" },
      { outcome: "created", run: { topic: "ice" } },
    ]);
  });

  /** An append that landed and is sent again is answered as a replay, and which run of a call is created first gets the first ordinal. */
  function comparable(key: string, value: unknown): unknown {
    if (key === "ordinal") return 0;
    if (key === "fence") return Math.floor(Number(value) / 1_000);
    return value === "replayed" ? "appended" : value;
  }
});
