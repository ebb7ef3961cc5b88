import { createMemoryStore } from "@tm/run-events-core";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { runCases } from "../src/bin/run-cases.ts";
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

/** Cases that end with what is given, or when they are given up, or never. */
const play = {
  passing: async () => {},
  hanging: (context) =>
    new Promise((_resolve, reject) => {
      const signal = context?.signal;
      signal?.addEventListener("abort", () => reject(signal.reason));
    }),
  deaf: () => never,
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
async function endOf(cases: readonly ConformanceCase[], signal = new AbortController().signal) {
  const begun: string[] = [];
  const reported: (string | null)[] = [];
  let end: { readonly passed: readonly boolean[]; readonly gaveUp: boolean } | null = null;
  void runCases({ store: "any", cases }, signal, {
    onBegin: (name) => void begun.push(name),
    onReport: ({ failure }) => void reported.push(failure?.message ?? null),
  }).then(({ reports, gaveUp }) => {
    end = { passed: reports.map(({ passed }) => passed), gaveUp };
  });
  for (let turn = 0; turn < 10; turn++) {
    // Both: timers of the kit, and its turns.
    await vi.advanceTimersByTimeAsync(LONG_MS);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { begun, reported, end };
}

describe("runCases", () => {
  it("gives up a store after three cases in a row that hung, and leaves the others out", async () => {
    const { hanging, passing } = play;
    const { begun, end } = await endOf(casesOf(passing, hanging, hanging, hanging, passing));
    expect(end).toEqual({ passed: [true, false, false, false], gaveUp: true });
    expect(begun).toHaveLength(4);
  });

  it("goes on where a case in between ends, even by failing", async () => {
    const { hanging, passing } = play;
    const failing = () => Promise.reject(new Error("Expected more."));
    const runs = [hanging, hanging, failing, hanging, hanging, passing];
    const { end } = await endOf(casesOf(...runs));
    expect(end).toEqual({ passed: [false, false, false, false, false, true], gaveUp: false });
  });

  it("gives nothing up where nothing is left to run", async () => {
    const { hanging } = play;
    const { end } = await endOf(casesOf(hanging, hanging, hanging));
    expect(end).toEqual({ passed: [false, false, false], gaveUp: false });
  });

  it("goes on without a case that does not end when its time is up", async () => {
    const { deaf, passing } = play;
    const { reported, end } = await endOf(casesOf(deaf, passing));
    expect(end).toEqual({ passed: [false, true], gaveUp: false });
    expect(reported).toEqual([
      "any: S1 case 1\nExpected the case to end within 300000 ms.\nIt did not come to an end then.",
      null,
    ]);
  });

  it("ends when it is interrupted, even if the case under way does not", async () => {
    const interrupt = new AbortController();
    const cases = casesOf(() => {
      interrupt.abort(new Error("Interrupted."));
      return never;
    }, play.passing);
    const { begun, end } = await endOf(cases, interrupt.signal);
    expect(end).toEqual({ passed: [], gaveUp: false });
    expect(begun).toHaveLength(1);
  });

  it.each(["open", "close", "destroy"])(
    "ends a case of the kit whose store never ends its %s",
    async (hanging) => {
      const step = async (name: string): Promise<void> => (name === hanging ? never : undefined);
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
      const { reported, end } = await endOf([one, ...casesOf(play.passing)]);
      expect(end).toEqual({ passed: [false, true], gaveUp: false });
      expect(reported[0]).toMatch(
        /^stuck: S16 a new run is queued, without phase or events\nExpected the /,
      );
      expect(reported[0]).not.toContain("It did not come to an end then.");
    },
  );
});
