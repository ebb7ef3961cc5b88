import { createRunEvents } from "@tm/run-events-core";
import type { RunEventStore } from "@tm/run-events-core/store";
import { waitUntil } from "../wait-until.ts";
import { findFaults } from "./find-faults.ts";
import type { Attempt, GrantedClaim, Reading } from "./history.ts";
import { type Play, readLog, readToTheEnd } from "./play.ts";
import { createRandom } from "./random.ts";
import { workInTurns } from "./work.ts";
import {
  createRun,
  endRun,
  writeAgain,
  writeInSequence,
  writeWithKeys,
  writeWithoutKeys,
} from "./write.ts";

/** The store of a play. */
export interface ExactlyOnceOptions {
  /** Two or more on the same data, each over connections of its own; `finish` leaves them open. */
  readonly stores: readonly [RunEventStore, RunEventStore, ...RunEventStore[]];
  /** The time that a silent worker keeps its run, in milliseconds: at least 1,000. Default 4,000. */
  readonly leaseMs?: number;
  /** Decides how much is written in a turn. Default a new one, which a failure names. */
  readonly seed?: number;
}

/** A play under way: writers with keys and without, workers in turns, and readers on another store than they. */
export interface ExactlyOnce {
  /** Resolves when this many more events are acknowledged: call it before a disturbance, and after it to see that writes go on. */
  advance(events: number): Promise<void>;
  /**
   * Ends all runs, waits for the readers, reads every log through every store, and sends what has a key once more.
   * @returns how much was done
   * @throws Error with all that was broken, and the seed
   */
  finish(): Promise<{ readonly acknowledged: number; readonly claims: number }>;
}

/** The runs, by their writers: each kind shows different faults. */
const KEYED = "keyed";
const COUNTED = "counted";
const HELD = ["held-1", "held-2"];
const RUN_IDS = [KEYED, COUNTED, ...HELD];

/**
 * Writes to four runs and follows them, while a test disturbs their servers. In the end each acknowledged event must be there
 * once and at its sequence, as far as the servers promise it. The test has to make sure that they do, for example by letting a
 * replica catch up first.
 * @see clauses S1 to S10 and S21 in `STORE.md`; `findFaults` is the rule
 */
export async function startExactlyOnce({
  stores,
  leaseMs = 4_000,
  seed = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0,
}: ExactlyOnceOptions): Promise<ExactlyOnce> {
  const clients = stores.map((store) => createRunEvents({ store }));
  const [first, second] = clients;
  if (first === undefined || second === undefined) throw new TypeError("Expected two stores.");
  const attempts: Attempt[] = [];
  const claims: GrantedClaim[] = [];
  const readings: Reading[] = [];
  let isOver = false;
  let values = 0;
  const play: Play = {
    random: createRandom(seed),
    leaseMs,
    isOver: () => isOver,
    nextValue: () => `v${++values}`,
    attempts,
    claims,
    readings,
  };
  for (const runId of RUN_IDS) await createRun(first, runId);
  const readers = RUN_IDS.flatMap((runId) =>
    clients.map((runs) => readToTheEnd(runs, runId, readings)),
  );
  const writers = [
    ...clients.map((runs) => writeWithKeys(play, runs, KEYED)),
    writeWithoutKeys(play, first, KEYED),
    writeInSequence(play, second, COUNTED),
  ];
  const workers = HELD.flatMap((runId) => clients.map((runs) => workInTurns(play, runs, runId)));
  // `finish` reports what one of them throws, and may be called later.
  const all = Promise.all([Promise.all(writers), ...workers, ...readers]);
  all.catch(() => {});

  const landed = (): readonly Attempt[] =>
    attempts.filter(({ outcome }) => outcome.is === "landed");

  return {
    async advance(events) {
      const goal = landed().length + events;
      await waitUntil(
        `${goal} events are acknowledged (seed ${seed})`,
        () => landed().length >= goal,
      );
    },
    async finish() {
      isOver = true;
      await Promise.all(writers);
      await Promise.all([KEYED, COUNTED].map((runId) => endRun(second, runId)));
      await all;
      const logs = await Promise.all(
        clients.flatMap((runs) =>
          RUN_IDS.map(async (runId) => ({ runId, events: await readLog(runs, runId) })),
        ),
      );
      const replays = [];
      for (const { runId, value, idempotencyKey } of landed()) {
        if (idempotencyKey === null) continue;
        const { replayed, lastSequence } = await writeAgain(first, runId, value, idempotencyKey);
        replays.push({ runId, value, isReplayed: replayed, sequence: lastSequence });
      }
      const faults = findFaults({ attempts, claims, readings, replays, logs });
      if (faults.length > 0) throw new Error([`Seed ${seed}:`, ...faults].join("\n"));
      return { acknowledged: landed().length, claims: claims.length };
    },
  };
}
