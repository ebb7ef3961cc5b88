import { feedGameArbitrary } from "../feeds/game.ts";
import { playFeeds } from "../feeds/play-feeds.ts";
import type { TrialCase } from "../trial.ts";

/** A race may show only now and then: once a game has failed, each smaller one gets this many chances to fail too. */
const CHANCES = 5;

/** S29 in `STORE.md` with many writers and readers at once. */
export const feeds: readonly TrialCase[] = [
  {
    name: "S29 readers that drop and come back have the last state of every run, however late a transaction commits",
    async run({ stores: open, beneath: { begin }, check }) {
      const stores = await open();
      let count = 0;
      await check(
        feedGameArbitrary(begin !== null),
        (game) => playFeeds(game, { stores, prefix: `g${(count += 1)}-`, begin }),
        { kind: "feeds", chances: CHANCES },
      );
    },
  },
];
