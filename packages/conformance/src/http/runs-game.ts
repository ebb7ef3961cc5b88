import fc from "fast-check";
import { assertDelivery } from "./assert-delivery.ts";
import { appendedOf, notes } from "./draft.ts";
import type { HttpTrial } from "./http-trial.ts";
import type { Frame } from "./read-frames.ts";
import { followAll } from "./runs-stream.ts";
import { deliveryOf, land, record } from "./runs.ts";

/** Runs with events before and while a reader follows them, and after how many frames it disconnects each time. */
export interface Game {
  readonly runs: readonly {
    readonly before: number;
    readonly after: number;
    readonly since: number;
  }[];
  readonly frames: readonly number[];
}

/** Any game. */
export const games: fc.Arbitrary<Game> = fc.record({
  runs: fc.array(
    fc.record({
      before: fc.nat({ max: 4 }),
      after: fc.nat({ max: 4 }),
      since: fc.nat({ max: 4 }),
    }),
    { minLength: 1, maxLength: 5 },
  ),
  frames: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 0, maxLength: 4 }),
});

/** Fails unless the reader gets the events of each run once, in order, and its end. @see clause W47 in `WIRE.md` */
export async function playGame(trial: HttpTrial, game: Game): Promise<void> {
  const runs = await Promise.all(
    game.runs.map(async ({ before, after, since }) => ({
      runId: await record(trial, ...notes(before)),
      log: [...notes(before + after), "RUN_COMPLETED"],
      later: [...notes(after, before), "RUN_COMPLETED"],
      since: Math.min(since, before),
      seen: [] as Frame[],
    })),
  );
  const writing = Promise.all(
    runs.map(async ({ runId, later }) => {
      for (const draft of later) await land(trial, runId, [draft]);
    }),
  );
  // Looked at below, unless a stream fails first.
  writing.catch(() => {});
  const byId = new Map(runs.map((run) => [run.runId, run]));
  const isLive = ({ seen }: (typeof runs)[number]): boolean => deliveryOf(seen).at(-1) !== "end";
  for (const most of [...game.frames, Infinity]) {
    const left = runs.filter(isLive);
    if (left.length === 0) break;
    const starts = left.map((run) => [run.runId, run.since + deliveryOf(run.seen).length] as const);
    const stream = await followAll(trial, starts);
    for (let taken = 0; taken < most && left.some(isLive); taken++) {
      const frame = await stream.next();
      byId.get(String(frame.message["runId"]))?.seen.push(frame);
    }
    stream.leave();
  }
  await writing;
  for (const { log, since, seen } of runs)
    assertDelivery(log.map(appendedOf), since, deliveryOf(seen), "A run of the game");
}
