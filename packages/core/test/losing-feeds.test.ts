import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FeedState } from "../src/follow/feed-state.ts";
import type { ChangedRuns } from "../src/rules/changed.ts";
import { changedWork } from "../src/store/changed-work.ts";
import { Reader, World } from "./changing-world.ts";
import { type FeedStep, LosingFeeds } from "./losing-feeds.ts";

const change = fc.tuple(fc.constantFrom("append", "append", "append", "end", "delete"), fc.nat(7));
const reader = fc.nat(2);
const what = <What extends string>(one: What): fc.Arbitrary<What> => fc.constant(one);
const step: fc.Arbitrary<FeedStep> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ what: what("change"), change, notifies: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ what: what("change between"), change }) },
  {
    weight: 3,
    arbitrary: fc.record({ what: what("pass"), ms: fc.constantFrom(1, 100, 250, 300, 5_000) }),
  },
  { weight: 3, arbitrary: fc.record({ what: what("turn") }) },
  { weight: 2, arbitrary: fc.record({ what: what("settle") }) },
  { weight: 1, arbitrary: fc.record({ what: what("back up") }) },
  { weight: 1, arbitrary: fc.record({ what: what("restore") }) },
  { weight: 2, arbitrary: fc.record({ what: what("come back"), reader }) },
  { weight: 1, arbitrary: fc.record({ what: what("pause"), reader }) },
);

describe("feeds of a store that loses what came last", () => {
  it("S29, W48: readers that leave at any page and come back with its cursor have all runs as they are in the end", async () => {
    const options = fc.record({
      limit: fc.integer({ min: 1, max: 5 }),
      newest: fc.constantFrom(0, 0, 3),
      isLarge: fc.constantFrom(
        () => true,
        (runId: string) => Number(runId.slice("run-".length)) % 3 === 0,
      ),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 60, size: "max" }),
        options,
        async (steps, how) => {
          const feeds = new LosingFeeds(how);
          for (const one of steps) await feeds.act(one);
          await feeds.finish();
          for (const [has, is] of feeds.known()) expect(has).toEqual(is);
          feeds.close();
          expect(feeds.clock.timers()).toBe(0);
        },
      ),
      { numRuns: 300 },
    );
  });

  /** What one page has, of which one run fits. */
  const PAGES = [
    [
      "new runs",
      [
        ["append", 0],
        ["append", 2],
      ],
    ],
    [
      "a run and its end, and a new one",
      [
        ["append", 2],
        ["end", 2],
        ["append", 0],
      ],
    ],
  ] as const;

  for (const [name, changes] of PAGES) {
    it(`S29, W48: a reader that has got a part of a page with ${name} has all runs as they are after the store loses them`, async () => {
      const world = new World();
      const [state, reader] = [new FeedState(null), new Reader()];
      const ask = (since: string | null): Promise<ChangedRuns> =>
        Promise.resolve(changedWork({ ownerId: "ada", since, limit: 9 })(world.moves(() => {})));
      const takePage = async (most: number): Promise<void> => {
        const page = await ask(state.listed);
        const news = state.takePage(page, world.nowMs);
        const { runs, gone } = state.keep(news, Math.min(most, news.runs.length));
        reader.take({ ...page, runs, gone, cursor: state.cursor ?? "" });
      };
      world.change(["append", 1]);
      await takePage(9);
      const restore = world.backUp();
      for (const one of changes) world.change(one);
      await takePage(1);
      expect(reader.runs.size).toBe(2);
      restore();
      for (let hasMore = true; hasMore;) {
        const page = await ask(reader.cursor);
        reader.take(page);
        ({ hasMore } = page);
      }
      expect(reader.runs).toEqual(world.runs);
    });
  }
});
