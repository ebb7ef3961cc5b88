import { expect, it } from "vitest";
import { landOnce } from "../../src/rules/land-once.ts";
import { createRule } from "../../src/rules/run-rules.ts";
import { createKvStore } from "../../src/store/kv/kv-store.ts";
import { createFakeClock } from "../fake-clock.ts";
import { createMvccEngine, MvccData } from "./mvcc-engine.ts";

const NAME = { ownerId: "ada", runId: "run" };

it.each([
  [5_000, 1],
  [5_001, 2],
])(
  "S24 a decision whose time is %d ms old at its commit, since the process stood still, is made %d times",
  async (ageMs, times) => {
    const data = new MvccData();
    const clock = createFakeClock();
    let stall = (): void => {};
    const before = async (step: string): Promise<void> => {
      if (step === "get") stall();
    };
    const store = createKvStore(createMvccEngine(data, { now: clock.now, before }), { clock });
    await store.probe();
    stall = () => {
      stall = () => {};
      clock.advance(ageMs);
    };
    const fromMs = clock.now();
    const seen: number[] = [];
    const decide = landOnce(createRule({ ...NAME, metadata: "1" }), () => "id");
    await store.change([
      {
        ...NAME,
        decide(one) {
          seen.push(one.nowMs - fromMs);
          return decide(one);
        },
      },
    ]);
    expect(seen).toEqual([0, ageMs].slice(0, times));
  },
);
