import fc from "fast-check";
import type { RunEventStore } from "@tm/run-events-core/store";
import { event, land } from "../append-request.ts";
import { assertEqual } from "../assert.ts";
import { type KitStore, kitStore } from "../kit-store.ts";
import { Follower } from "../follower.ts";
import { createRun, readLog } from "../read-log.ts";
import type { Trial, TrialCase } from "../trial.ts";
import { within } from "../within.ts";
import { wrapInner } from "../wrap-store.ts";

/** Bounds the search for a smaller game once one has failed, since each may wait for a notification that never comes. */
const SHRINK_MS = 10_000;

/** One writer and a few readers, as plain data: the order of things is the scheduler's. */
interface Game {
  /** The numbers of events of the batches that the writer appends. The last event of the last one ends the run. */
  readonly batches: readonly number[];
  readonly readers: readonly { readonly store: number; readonly late: number }[];
}

/** Games of a few readers and few events: what goes wrong at the join of log and notification needs no more. */
const games: fc.Arbitrary<Game> = fc.record({
  batches: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 5, size: "max" }),
  readers: fc.array(fc.record({ store: fc.nat(1), late: fc.nat(8) }), {
    minLength: 1,
    maxLength: 4,
    size: "max",
  }),
});

/** Cases of S13 in `STORE.md`: from the log to what is live, under any order of answers and notifications. */
export const handover: readonly TrialCase[] = [
  {
    name: "S13 in any order of answers and notifications, a reader that reads only when notified gets every event once, then ends",
    run: playGames,
  },
];

async function playGames(trial: Trial): Promise<void> {
  const stores = await trial.stores();
  let count = 0;
  let failedAtMs: number | null = null;

  await trial.check(
    fc.tuple(games, fc.scheduler()),
    async ([game, scheduler]) => {
      if (failedAtMs !== null && performance.now() - failedAtMs > SHRINK_MS) return;
      const runId = `game-${(count += 1)}`;
      try {
        // Once it has failed, the store is held to its own deadline: what is looked for is a smaller game.
        await playGame(game, scheduler, stores, runId, failedAtMs === null ? undefined : 0);
      } catch (error) {
        failedAtMs ??= performance.now();
        throw error;
      }
    },
    { kind: "games" },
  );
}

async function playGame(
  { batches, readers }: Game,
  scheduler: fc.Scheduler,
  stores: readonly [KitStore, ...KitStore[]],
  runId: string,
  patienceMs: number | undefined,
): Promise<void> {
  const [store] = stores;
  await createRun(store, runId);
  const turn = (label: string): Promise<void> => scheduler.schedule(Promise.resolve(), label);
  const staged = stores.map((one, at) => kitStore(stage(one.inner, `store ${at + 1}`, turn)));
  const staging = (at: number): KitStore => staged[at % staged.length] ?? store;

  async function write(): Promise<void> {
    for (const [at, count] of batches.entries()) {
      await turn("the writer goes on");
      const isLast = at === batches.length - 1;
      const tokens = Array.from({ length: isLast ? count - 1 : count }, () => event("TOKEN"));
      await land(staging(at), runId, isLast ? [...tokens, event("RUN_COMPLETED")] : tokens);
    }
  }

  async function read(at: number, late: number): Promise<void> {
    for (let left = late; left > 0; left--) await turn("a reader is late");
    const follower = await Follower.start(staging(at), runId);
    await follower.ended;
    assertEqual(follower.events, (await readLog(store, runId)).events, "what a reader got");
  }

  const played = Promise.all([write(), ...readers.map((one) => read(one.store, one.late))]);
  const { notifyWithinMs } = store.capabilities;
  await within(notifyWithinMs, scheduler.waitFor(played), "every reader to end", patienceMs);
}

/** A store whose answers and notifications come when the scheduler picks them. */
function stage(
  store: RunEventStore,
  name: string,
  turn: (label: string) => Promise<void>,
): RunEventStore {
  async function hold<Answer>(call: Promise<Answer>, label: string): Promise<Answer> {
    const [settled] = await Promise.allSettled([call]);
    await turn(`${label} at ${name}`);
    if (settled.status === "rejected") throw settled.reason;
    return settled.value;
  }
  return wrapInner(store, {
    append: (plains) => hold(store.append(plains), "append"),
    change: (changes) => hold(store.change(changes), "change"),
    read: (queries) => hold(store.read(queries), "read"),
    subscribe(subject, onNotification) {
      const { ready, stop } = store.subscribe(subject, (changed) => {
        void turn(`notify at ${name}`).then(() => onNotification(changed));
      });
      return { ready: hold(ready, "ready"), stop };
    },
  });
}
