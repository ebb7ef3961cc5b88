import { isTerminal, type RunStatus } from "@tm/run-events-core";
import fc from "fast-check";
import { expect, it } from "vitest";
import type { ListedRun } from "../../src/feed/feed-list.ts";
import { isPicked, pickRuns } from "../../src/feed/pick-runs.ts";
import { snapshotOf } from "./snapshot-of.ts";

const status = fc.constantFrom<RunStatus>("queued", "running", "waiting", "completed", "failed");
const run: fc.Arbitrary<ListedRun> = fc
  .record({
    number: fc.nat({ max: 12 }),
    runStatus: status,
    topic: fc.constantFrom(null, "a", "b"),
  })
  .map(({ number, ...rest }) => ({
    // Some runs were created in the same millisecond.
    ...snapshotOf(Math.floor(number / 3), rest),
    runId: `run-${number}`,
    last: null,
  }));
const runs = fc
  .uniqueArray(run, { selector: ({ runId }) => runId, maxLength: 10 })
  .map((all) => new Map(all.map((one) => [one.runId, one])));
const filter = fc.record({
  status: fc.option(fc.oneof(status, fc.constant("live" as const)), { nil: undefined }),
  topic: fc.option(fc.constantFrom("a", "b"), { nil: undefined }),
});

it("W14, W48: a list has each run of the filter once, newest first, as the feed has it", () => {
  fc.assert(
    fc.property(runs, runs, filter, (fed, read, which) => {
      const picked = pickRuns(fed, read, which);
      const ids = picked.map(({ runId }) => runId);
      expect(new Set(ids).size).toBe(ids.length);
      const times = picked.map(({ createdAt }) => createdAt);
      expect(times).toEqual(times.toSorted().toReversed());
      for (const one of fed.values()) expect(ids.includes(one.runId)).toBe(isPicked(one, which));
      for (const one of picked) expect(one).toBe(fed.get(one.runId) ?? read.get(one.runId));
    }),
  );
});

it("W48: of the runs that were read, those that have ended are shown, and a live one only if the feed has it", () => {
  fc.assert(
    fc.property(runs, runs, filter, (fed, read, which) => {
      const ids = pickRuns(fed, read, which).map(({ runId }) => runId);
      for (const one of read.values()) {
        if (fed.has(one.runId)) continue;
        const isShown = isTerminal(one.runStatus) && isPicked(one, which);
        expect(ids.includes(one.runId)).toBe(isShown);
      }
    }),
  );
});

it("W14: runs of the same millisecond have the order of the list", () => {
  const all = [3, 1, 2].map((number) => ({
    ...snapshotOf(0, { runStatus: "completed" }),
    runId: `run-${number}`,
    last: null,
  }));
  const read = new Map(all.map((one) => [one.runId, one]));
  expect(pickRuns(new Map(), read, {})).toEqual(all);
});
