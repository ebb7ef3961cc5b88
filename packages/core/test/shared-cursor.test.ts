import { expect, it } from "vitest";
import type { FeedPage } from "../src/follow/feed.ts";
import { createFeeds } from "../src/follow/feeds.ts";
import { changedWork } from "../src/store/changed-work.ts";
import { settle } from "./changes-world.ts";
import { Reader, World } from "./changing-world.ts";
import { createFakeClock } from "./fake-clock.ts";

const ADA = { ownerId: "ada", topic: null };
/** Time in which every follower looks again. */
const ROUND_MS = 5_000;

/** What comes between the lists of two feeds, and is lost after both. */
const LOST = [
  ["a state", [["append", 0]]],
  ["a run", [["append", 2]]],
  ["an end", [["end", 0]]],
  [
    "a run and its end",
    [
      ["append", 2],
      ["end", 2],
    ],
  ],
] as const;

for (const [name, changes] of LOST) {
  it(`S29, W48: a feed whose page comes with the cursor of an earlier one has all runs as they are after the store loses ${name} of that page`, async () => {
    const world = new World();
    const clock = createFakeClock();
    /** Happens once, after the next list. */
    let afterList = (): void => {};
    const feeds = createFeeds(
      {
        async listChanged(query) {
          const page = await changedWork(query)(world.moves(() => {}));
          afterList();
          return page;
        },
        listRuns: async () => [],
        async read({ runId }) {
          const run = world.runs.get(runId);
          return run === undefined ? null : { run, events: [] };
        },
        subscribe: () => ({ ready: Promise.resolve(), stop() {} }),
      },
      clock,
    );
    const open = (since: string | null, known: Reader["runs"] = new Map()) => {
      const feed = feeds.open(ADA, { since, withLast: false });
      const reader = new Reader();
      for (const [runId, run] of known) reader.runs.set(runId, run);
      const take = (page: FeedPage): Promise<void> => {
        reader.take({ ...page, live: [] });
        return feed.next().then(take);
      };
      feed
        .next()
        .then(take)
        .catch(() => {});
      return reader;
    };
    for (const run of [0, 1]) world.change(["append", run]);
    const first = open(null);
    await settle();
    const [since, known] = [first.cursor, new Map(first.runs)];
    world.change(["append", 1]);
    clock.advance(ROUND_MS);
    await settle();
    world.change(["append", 1]);
    const restore = world.backUp();
    afterList = () => {
      afterList = () => {};
      for (const change of changes) world.change(change);
    };
    // The first one asks for its list, and the second one for another.
    clock.advance(ROUND_MS);
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    const second = open(since, known);
    await settle();
    // It has what the first one does not have.
    for (const [, run] of changes) {
      const runId = `run-${run}`;
      expect(second.runs.get(runId)).toEqual(world.runs.get(runId));
    }
    restore();
    for (let round = 0; round < 3; round++) {
      clock.advance(ROUND_MS);
      await settle();
    }
    for (const reader of [first, second]) expect(reader.runs).toEqual(world.runs);
    feeds.close();
  });
}
