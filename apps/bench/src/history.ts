import { withChildren } from "./child.ts";
import type { HistoryCheck, HistoryChecker } from "./history-checker.ts";
import type { Report, Scale, Section } from "./report.ts";

const OPERATIONS = 100_000;
const BOUND_MS = 1_000;
const BOUND_MIB = 200;

/** What the conformance kit's check of a history costs, each in a process of its own. */
export const history: Section = {
  name: "history",
  question: `What does it take to check a history of ${OPERATIONS} calls for one order that explains it?`,
  run: measureHistory,
};

async function measureHistory({ quick, rounds }: Scale): Promise<Report> {
  const operations = quick ? OPERATIONS / 100 : OPERATIONS;
  const checks: HistoryCheck[] = [];
  for (let round = 0; round < rounds; round++) {
    checks.push(
      await withChildren((start) =>
        start<HistoryChecker>(new URL("history-checker.ts", import.meta.url)).call(
          "check",
          operations,
        ),
      ),
    );
  }
  return {
    targets: [
      {
        name: `${operations} calls`,
        unit: "ms",
        values: checks.map(({ wallMs }) => wallMs),
        bound: BOUND_MS,
        kind: "at most",
      },
      {
        name: `${operations} calls: memory beside the history`,
        unit: "MiB",
        values: checks.map(({ growthMiB }) => growthMiB),
        bound: BOUND_MIB,
        kind: "at most",
      },
    ],
    figures: [],
    notes: [
      "A first check in a process that has not run it before. Every history was found right.",
    ],
  };
}
