import fc from "fast-check";
import { type Game, gameArbitrary } from "../handover/game.ts";
import { playGame } from "../handover/play-game.ts";
import type { Trial, TrialCase } from "../trial.ts";

/** Bounds the search for a smaller game once one has failed, since each may wait for a notification that never comes. */
const SHRINK_MS = 10_000;

/**
 * Cases of S10, S13 to S13 and S18 in `STORE.md`: from the log to what is live, under any order of answers and notifications. Each reader
 * gets since + 1 to the end, once and in order, and ends; or a beginning of it, when it leaves or its store is closed.
 */
export const handover: readonly TrialCase[] = [
  {
    name: "S13 in any order of answers and notifications, each reader gets every event once, then ends",
    run: (trial) => playGames(trial, false),
  },
  {
    name: "S18 a store object that is closed under its readers leaves each the beginning of the log, without a gap",
    run: (trial) => playGames(trial, true),
  },
];

async function playGames(trial: Trial, closes: boolean): Promise<void> {
  const stores = closes ? null : await trial.stores();
  let count = 0;
  let failedAtMs: number | null = null;

  async function play(game: Game, scheduler: fc.Scheduler): Promise<void> {
    count += 1;
    // Once it has failed, the store is held to its own deadline: what is looked for is a smaller game.
    const place = { runId: `game-${count}`, patienceMs: failedAtMs === null ? undefined : 0 };
    if (stores !== null) return playGame(game, scheduler, { ...place, stores });
    return trial.withFreshStore(async (inner) =>
      playGame(game, scheduler, { ...place, stores: await inner.stores() }),
    );
  }

  await trial.check(
    fc.tuple(gameArbitrary(closes), fc.scheduler()),
    async ([game, scheduler]) => {
      if (failedAtMs !== null && performance.now() - failedAtMs > SHRINK_MS) return;
      try {
        await play(game, scheduler);
      } catch (error) {
        failedAtMs ??= performance.now();
        throw error;
      }
    },
    { kind: "games" },
  );
}
