import { createMemoryStore } from "@tm/run-events-core";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { type CaseReport, runCases } from "../src/bin/run-cases.ts";
import type { ConformanceCase } from "../src/conformance-case.ts";
import { caseOf } from "./messages.ts";

const TIMEOUT_MS = 300_000;
/** Longer than any wait of the bin, in milliseconds. */
const LONG_MS = 3_600_000;
const never = new Promise<never>(() => {});

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
});

/** Cases that pass, end when they are given up, or fail. */
const play = {
  passing: async () => {},
  hanging: (context) =>
    new Promise((_resolve, reject) => {
      const signal = context?.signal;
      signal?.addEventListener("abort", () => reject(signal.reason));
    }),
  failing: () => Promise.reject(new Error("Expected more.")),
} satisfies Readonly<Record<string, ConformanceCase["run"]>>;

function casesOf(...runs: readonly ConformanceCase["run"][]): readonly ConformanceCase[] {
  return runs.map((run, index) => ({
    name: `S1 case ${index + 1}`,
    clause: "S1",
    timeoutMs: TIMEOUT_MS,
    run,
  }));
}

/** Runs cases, in no time, and says what came of each. */
async function endOf(cases: readonly ConformanceCase[]) {
  const { signal } = new AbortController();
  const begun: string[] = [];
  const reports: CaseReport[] = [];
  let isOver = false;
  void (async () => {
    const running = runCases({ store: "any", cases }, signal, (name) => void begun.push(name));
    for await (const one of running) reports.push(one);
    isOver = true;
  })();
  for (let turn = 0; turn < 10; turn++) {
    // Both: timers of the kit, and its turns.
    await vi.advanceTimersByTimeAsync(LONG_MS);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(isOver).toBe(true);
  return { begun, reports };
}

describe("runCases", () => {
  const { hanging, passing, failing } = play;

  it.each([
    [
      "gives up after three cases in a row that hung",
      [passing, hanging, hanging, hanging, passing],
      4,
    ],
    [
      "goes on where a case in between ends, even by failing",
      [hanging, hanging, failing, hanging, hanging, passing],
      6,
    ],
  ])("%s", async (_, runs, expected) => {
    const { begun, reports } = await endOf(casesOf(...runs));
    expect([begun.length, reports.length]).toEqual([expected, expected]);
    expect(reports.map(({ passed }) => passed)).toEqual(
      runs.slice(0, expected).map((run) => run === passing),
    );
  });

  it.each(["open", "close", "destroy"])(
    "ends a case of the kit whose store never ends its %s",
    async (stuck) => {
      const step = async (name: string): Promise<void> => (name === stuck ? never : undefined);
      const one = caseOf(
        {
          name: "stuck",
          async open() {
            await step("open");
            return { ...createMemoryStore(), close: () => step("close") };
          },
          destroy: () => step("destroy"),
        },
        "a new run is queued",
      );
      const { reports } = await endOf([one, ...casesOf(passing)]);
      expect(reports.map(({ passed }) => passed)).toEqual([false, true]);
      expect(reports[0]?.failure?.message).toMatch(
        /^stuck: S16 a new run is queued, without phase or events\nExpected the /,
      );
    },
  );
});
