import { isTerminal, type RunStatus } from "@tm/run-events-core";
import fc from "fast-check";
import { expect, it } from "vitest";
import { FeedList } from "../../src/feed/feed-list.ts";
import type { FeedFrame } from "../../src/follow/frame.ts";
import { snapshotOf } from "./snapshot-of.ts";

const FEED = { topic: null, last: false };
const START: FeedFrame = { type: "feed_started", same: false };
const WHOLE: FeedFrame = { type: "feed_version", version: "v", more: false };

const status = fc.constantFrom<RunStatus>("queued", "running", "waiting", "completed", "failed");
const number = fc.nat({ max: 9 });
const change: fc.Arbitrary<FeedFrame> = fc.oneof(
  fc
    .record({ number, lastSequence: fc.nat({ max: 3 }), runStatus: status })
    .map(({ number: at, ...rest }) => ({ type: "run" as const, run: snapshotOf(at, rest) })),
  number.map((at) => ({ type: "run_gone" as const, runId: `run-${at}` })),
);
const many = fc.array(change, { maxLength: 20 });

function listOf(...frames: readonly FeedFrame[]): FeedList {
  const list = new FeedList();
  for (const frame of frames) list.take(frame, FEED);
  return list;
}

it("W48: after a feed has started over, its runs are those that came since then, each as it came last", () => {
  fc.assert(
    fc.property(many, many, (before, after) => {
      const list = listOf(...before, START, ...after, WHOLE);
      const model = new Map<string, unknown>();
      for (const frame of after) {
        if (frame.type === "run_gone") model.delete(frame.runId);
        if (frame.type === "run") model.set(frame.run.runId, { ...frame.run, last: null });
      }
      expect(Object.fromEntries(list.runs)).toEqual(Object.fromEntries(model));
      expect([list.isWhole, list.versionFor(FEED)]).toEqual([true, "v"]);
    }),
  );
});

it("W48: while a feed starts over, no run disappears, except one that was removed, and there is no version to go on from", () => {
  fc.assert(
    fc.property(many, many, (before, after) => {
      const list = listOf(START, ...before, WHOLE);
      const runs = [...list.runs.keys()];
      for (const frame of [START, ...after]) list.take(frame, FEED);
      const gone = new Set(after.map((frame) => frame.type === "run_gone" && frame.runId));
      for (const runId of runs) expect(gone.has(runId) || list.runs.has(runId)).toBe(true);
      expect([list.isWhole, list.versionFor(FEED)]).toEqual([false, null]);
    }),
  );
});

it("W48: a run stays the same object while nothing in it has changed, also when the feed starts over", () => {
  fc.assert(
    fc.property(many, fc.boolean(), (all, isReset) => {
      const list = listOf(START, ...all, WHOLE);
      const runs = new Map(list.runs);
      const again = [...runs.values()].map((run) => ({ type: "run", run }) as const);
      for (const frame of [...(isReset ? [START] : []), ...again, WHOLE]) list.take(frame, FEED);
      expect(list.runs.size).toBe(runs.size);
      for (const [runId, run] of runs) expect(list.runs.get(runId)).toBe(run);
    }),
  );
});

it("W48: every live run is kept, and of more than 200 that have ended the last 100", () => {
  const runs = Array.from({ length: 500 }, (_, at) => 499 - at).map(
    (at) =>
      ({
        type: "run",
        run: snapshotOf(at, { runStatus: at % 2 === 0 ? "running" : "completed" }),
      }) as const,
  );
  const list = listOf(START, ...runs, WHOLE);
  const ended = [...list.runs.values()].filter(({ runStatus }) => isTerminal(runStatus));
  expect(list.runs.size).toBe(350);
  expect(ended.map(({ runId }) => runId)).toEqual(
    Array.from({ length: 100 }, (_, at) => `run-${301 + 2 * at}`),
  );
});

it("W48: an epoch is counted for a run that had ended and is gone, and not for a live one", () => {
  const gone = { type: "run_gone", runId: "run-1" } as const;
  const epochAfter = (...frames: readonly FeedFrame[]): number =>
    listOf(START, ...frames, WHOLE, gone).epoch;
  const before = listOf(START, WHOLE).epoch;
  expect(epochAfter()).toBe(before);
  expect(epochAfter({ type: "run", run: snapshotOf(1) })).toBe(before);
  const ended = snapshotOf(1, { runStatus: "failed" });
  expect(epochAfter({ type: "run", run: ended })).toBe(before + 1);
});

it("W48: from a change until the next `feed_version` a feed has no version to go on from, since the server's list may be back at the old one", () => {
  fc.assert(
    fc.property(many, change, (before, last) => {
      const list = listOf(START, ...before, WHOLE, last);
      expect([list.isWhole, list.versionFor(FEED)]).toEqual([true, null]);
      list.take({ ...WHOLE, version: "w" }, FEED);
      expect(list.versionFor(FEED)).toBe("w");
    }),
  );
});
