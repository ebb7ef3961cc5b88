import { isTerminal, type RunStatus } from "@tm/run-events-core";
import fc from "fast-check";
import { expect, it } from "vitest";
import {
  type FeedChanges,
  type FeedRuns,
  foldChanges,
  mergeChanges,
  NO_RUNS,
} from "../../src/feed/fold-changes.ts";
import { snapshotOf } from "./snapshot-of.ts";

const FEED = { topic: null, last: false };

const status = fc.constantFrom<RunStatus>("queued", "running", "waiting", "completed", "failed");
const one = fc.record({
  number: fc.nat({ max: 9 }),
  lastSequence: fc.nat({ max: 3 }),
  runStatus: status,
});
const changes: fc.Arbitrary<FeedChanges> = fc
  .record({
    isReset: fc.boolean(),
    runs: fc.uniqueArray(one, { selector: ({ number }) => number, maxLength: 6 }),
    gone: fc.uniqueArray(fc.nat({ max: 9 }), { maxLength: 3 }),
    hasMore: fc.boolean(),
  })
  .map(({ isReset, runs, gone, hasMore }) => {
    const there = new Set(runs.map(({ number }) => number));
    return {
      isReset,
      runs: runs.map(({ number, ...rest }) => ({ run: snapshotOf(number, rest) })),
      gone: gone.filter((number) => !there.has(number)).map((number) => `run-${number}`),
      version: null,
      more: false,
      hasMore,
    };
  });
const many = fc.array(changes, { maxLength: 8 });
const WHOLE: FeedChanges = {
  isReset: false,
  runs: [],
  gone: [],
  version: "v",
  more: false,
  hasMore: false,
};

function foldAll(all: readonly FeedChanges[], list: FeedRuns = NO_RUNS): FeedRuns {
  return all.reduce((before, next) => foldChanges(before, next, FEED), list);
}

/** The runs by id, without the order of their arrival. */
function statesOf({ runs }: FeedRuns): readonly string[] {
  return [...runs.values()].map((run) => JSON.stringify(run)).toSorted();
}

it("W48: after a feed has started over, its runs are those that came since then, each as it came last", () => {
  fc.assert(
    fc.property(many, many, (before, after) => {
      const reset = { ...WHOLE, isReset: true, hasMore: true };
      const rest = after.map((change) => ({ ...change, isReset: false, hasMore: true }));
      const list = foldAll([...before, reset, ...rest, WHOLE]);
      const model = new Map<string, unknown>();
      for (const { runs, gone } of rest) {
        for (const runId of gone) model.delete(runId);
        for (const { run } of runs) model.set(run.runId, { ...run, last: null });
      }
      expect(Object.fromEntries(list.runs)).toEqual(Object.fromEntries(model));
      expect(list).toMatchObject({ feed: FEED, next: null, version: "v" });
    }),
  );
});

it("W48: while a feed starts over, no run disappears, except one that was removed", () => {
  fc.assert(
    fc.property(many, many, (before, after) => {
      const list = foldAll([...before, WHOLE]);
      const reset = { ...WHOLE, isReset: true, hasMore: true };
      const rest = after.map((change) => ({ ...change, isReset: false, hasMore: true }));
      const removed = new Set(rest.flatMap(({ gone }) => gone));
      const during = foldAll([reset, ...rest], list);
      for (const runId of list.runs.keys())
        expect(removed.has(runId) || during.runs.has(runId)).toBe(true);
    }),
  );
});

it("W48: changes that are merged have the same runs as one after the other, once the feed is whole", () => {
  fc.assert(
    fc.property(many, fc.array(changes, { minLength: 1, maxLength: 6 }), (before, after) => {
      const list = foldAll([...before, WHOLE]);
      const apart = foldAll([...after, WHOLE], list);
      const merged = after.reduce(mergeChanges);
      expect(statesOf(foldAll([merged, WHOLE], list))).toEqual(statesOf(apart));
      const ids = [...merged.runs.map(({ run }) => run.runId), ...merged.gone];
      expect(new Set(ids).size).toBe(ids.length);
    }),
  );
});

it("W48: a run stays the same object while nothing in it has changed, also when the feed starts over", () => {
  fc.assert(
    fc.property(many, fc.boolean(), (all, isReset) => {
      const list = foldAll([...all, WHOLE]);
      const runs = [...list.runs.values()].map((run) => ({ run }));
      const again = foldChanges(list, { ...WHOLE, isReset, runs }, FEED);
      expect(again.runs.size).toBe(list.runs.size);
      for (const [runId, run] of list.runs) expect(again.runs.get(runId)).toBe(run);
    }),
  );
});

it("W48: every live run is kept, and of those that have ended the last 200", () => {
  const runs = Array.from({ length: 500 }, (_, at) => 499 - at).map((number) => ({
    run: snapshotOf(number, { runStatus: number % 2 === 0 ? "running" : "completed" }),
  }));
  const list = foldAll([{ ...WHOLE, isReset: true, runs }]);
  const ended = [...list.runs.values()].filter(({ runStatus }) => isTerminal(runStatus));
  expect(list.runs.size).toBe(450);
  expect(ended.map(({ runId }) => runId)).toEqual(
    Array.from({ length: 200 }, (_, at) => `run-${101 + 2 * at}`),
  );
});
