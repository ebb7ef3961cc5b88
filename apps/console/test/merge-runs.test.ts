import type { RunSnapshot } from "@tm/run-events-core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mergeRuns } from "../src/merge-runs.ts";
import { runTitle } from "../src/run-title.ts";

function run(number: number, lastSequence: number): RunSnapshot {
  const at = "2026-01-01T00:00:00.000Z";
  return {
    runId: `run-${number}`,
    ownerId: "ada",
    runStatus: "running",
    currentPhase: null,
    lastSequence,
    createdAt: at,
    updatedAt: at,
    finishedAt: null,
    topic: null,
    lease: null,
    metadata: null,
  };
}

/** Runs of these numbers, the newest first. */
function runs(numbers: readonly number[], lastSequence: number): readonly RunSnapshot[] {
  return numbers.toSorted((a, b) => b - a).map((number) => run(number, lastSequence));
}

describe("the list of runs, read again", () => {
  it("a list is the runs that were read, then the known older ones, each run once", () => {
    const some = fc.uniqueArray(fc.nat(40));
    fc.assert(
      fc.property(some, some, fc.integer({ min: 1, max: 20 }), (known, more, limit) => {
        const all = runs([...new Set([...known, ...more])], 2);
        const page = all.slice(0, limit);
        const isWhole = all.length <= limit;
        const merged = mergeRuns(runs(known, 1), page, isWhole);
        expect(merged.slice(0, page.length)).toEqual(page);
        const ids = merged.map(({ runId }) => runId);
        expect(new Set(ids).size).toBe(ids.length);
        // All runs are newest first.
        const numbers = ids.map((id) => Number(id.slice(4)));
        expect(numbers).toEqual(numbers.toSorted((a, b) => b - a));
        if (isWhole) expect(merged).toEqual(page);
      }),
    );
  });

  it("the list names a run by its metadata's words, else by its id", () => {
    const title = (metadata: unknown): string => runTitle({ runId: "r", metadata });
    expect(title({ title: " A trip ", command: "ls" })).toBe("A trip");
    expect(title({ command: ["pnpm", "test"] })).toBe("pnpm test");
    expect(title({ name: 7, title: "" })).toBe("r");
    expect(title(null)).toBe("r");
    expect(title(["title"])).toBe("r");
  });
});
