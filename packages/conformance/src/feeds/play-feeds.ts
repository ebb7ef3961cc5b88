import { LIVE_GROUPS, type RunEventStore } from "@tm/run-events-core/store";
import type { OwnTransaction } from "../doors.ts";
import { nextTurn } from "../next-turn.ts";
import { Actors } from "./actor.ts";
import { Feed } from "./feed.ts";
import { FEED_RUNS, type FeedGame } from "./game.ts";
import { Moments } from "./moments.ts";
import { FeedWriter } from "./writer.ts";

/** How many of the other runs are created at the same time. */
const AT_ONCE = 32;

/** Where a game is played. */
export interface FeedPlace {
  readonly stores: readonly [RunEventStore, ...RunEventStore[]];
  /** The prefix of the ids of its runs and of its owner, so that many games can be played on one store. */
  readonly prefix: string;
  /** Begins a transaction that may stay open; `null` where appends join none. */
  readonly begin: (() => Promise<OwnTransaction>) | null;
}

/**
 * Creates one run fewer than there are groups, for another owner. The next run then has the group of the run before these. This is not
 * certain, as a store may leave out ordinals, but the game need not be certain of it.
 */
async function fillGroups(store: RunEventStore, prefix: string): Promise<void> {
  for (let at = 1; at < LIVE_GROUPS; at += AT_ONCE) {
    const ids = Array.from({ length: Math.min(AT_ONCE, LIVE_GROUPS - at) }, (_, id) => at + id);
    await Promise.all(
      ids.map((id) =>
        store.createRun({ runId: `${prefix}${id}`, ownerId: `${prefix}owner`, metadata: "null" }),
      ),
    );
  }
}

/**
 * Plays a game, and then lets each reader read to the end.
 * @throws Error if a reader does not have the last state of every run
 */
export async function playFeeds(game: FeedGame, place: FeedPlace): Promise<void> {
  const { stores, prefix, begin } = place;
  const moments = new Moments();
  const ownerId = `${prefix}owner`;
  const writers = game.writers.map((steps, at) => {
    const store = stores[at % stores.length] ?? stores[0];
    return new FeedWriter({ store, prefix, ownerId, begin, moments }, steps);
  });
  const feeds = game.readers.map((plan) => new Feed(stores, plan, ownerId, moments));
  const actors = new Actors([...writers, ...feeds]);
  for (const [run, topic] of game.runs.entries()) {
    if (game.isCrowded && run === 1) await fillGroups(stores[0], `${prefix}other-`);
    await stores[0].createRun({ runId: `${prefix}${run}`, ownerId, metadata: "null", topic });
  }
  for (const turn of game.turns) {
    actors.turn(turn);
    await nextTurn();
  }
  await actors.finish();
  const runIds = Array.from({ length: FEED_RUNS }, (_, run) => `${prefix}${run}`);
  const runs = await Promise.all(runIds.map((runId) => stores[0].getRun(runId)));
  for (const feed of feeds) await feed.check(runs.filter((run) => run !== null));
}
