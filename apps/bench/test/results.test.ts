import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { Machine } from "../src/machine.ts";
import { formatPages, readResults, type Result, writePages, writeResult } from "../src/results.ts";
import { withTempFolder } from "../src/temp-folder.ts";

const MACHINE: Machine = {
  date: "2026-01-02",
  commit: "abc1234",
  processor: "a processor",
  cores: 2,
  memoryGiB: 24,
  node: "24.0.0",
  sqlite: "3.54.0",
  versions: { pg: "8.23.1" },
  fsyncMs: 0.2,
};
const RESULT: Result = {
  section: "reading",
  question: "How fast?",
  machine: MACHINE,
  scale: { quick: false, rounds: 3 },
  report: {
    targets: [
      { name: "ours / bare", unit: "×", values: [1.5, 0.5, 0.75], bound: 0.7, kind: "at most" },
    ],
    figures: [
      { name: "ours, CPU", unit: "µs/event", values: [2, 4, 3] },
      { name: "bare <& CPU", unit: "µs/event", values: [6, 4, 5] },
    ],
    notes: ["Each event arrived."],
  },
};

it("a page has a section's machine, its targets with what falls short, its figures, notes and versions", () => {
  const page = formatPages([RESULT]).get("README.md") ?? "";
  expect(page).toContain("2026-01-02 · commit abc1234 · a processor, 2 cores, 24 GiB");
  expect(page).toMatch(
    /\| ours \/ bare +\| 0\.750 × +\| 0\.500 – 1\.50 +\| at most 0\.700 +\| FALLS SHORT \|/,
  );
  expect(page).toMatch(/\| ours, CPU +\| 3 +\| 2 – 4 +\| µs\/event \|/);
  expect(page).toContain("- Each event arrived.");
  expect(page).toContain("![The figures of reading as bars](reading.svg)");
  expect(page).toContain("pg 8.23.1");
});

it("bars are as long as their medians, lines as their spread, on one scale a unit", () => {
  const chart = formatPages([RESULT]).get("reading.svg") ?? "";
  const widths = [...chart.matchAll(/<rect [^>]*width="([\d.]+)"/g)].map(([, width]) =>
    Number(width),
  );
  const [ratio = 0, ours = 0, bare = 0] = widths;
  expect(widths).toHaveLength(3);
  expect(ours / bare).toBeCloseTo(3 / 5, 2);
  // Half of the greatest value, 1.5.
  expect(ratio / (bare * (6 / 5))).toBeCloseTo(0.75 / 1.5, 2);
  expect(chart).toContain("bare &lt;&amp; CPU");
  expect(chart.match(/class="ours"/g)).toHaveLength(2);
});

it("a section that is measured again takes the place of its former result, and the others stay", () =>
  withTempFolder(async (folder) => {
    const other: Result = { ...RESULT, section: "writing" };
    const again: Result = { ...RESULT, question: "How fast now?" };
    for (const result of [RESULT, other, again]) await writeResult(folder, result);
    await writePages(folder);
    expect(await readResults(folder)).toEqual([again, other]);
    expect(await readFile(join(folder, "README.md"), "utf8")).toBe(
      formatPages([again, other]).get("README.md"),
    );
  }));
