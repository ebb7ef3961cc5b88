import { createRunEvents } from "@tm/run-events-core";
import type { RunEventStore } from "@tm/run-events-core/store";
import type fc from "fast-check";
import { BrokenClause } from "../assert.ts";
import { createHandClock } from "../hand-clock.ts";
import { createRun } from "../read-log.ts";
import { within } from "../within.ts";
import { batchesOf, type Game, type PlannedClose } from "./game.ts";
import { createGameReader } from "./game-reader.ts";
import { createStage } from "./stage.ts";
import { createStagedStore, type Witness } from "./staged-store.ts";
import { writeBatches } from "./write-batches.ts";

/** More turns than any game takes that comes to an end. */
const MOST_TURNS = 5_000;
/** Nor does one take so long, in milliseconds: a case of games that did would not end within its time. */
const MOST_MS = 30_000;
/** After so many rings, or times of reading again, that brought nobody further a reader is stuck. */
const MOST_IDLE = 10;

/** Where a game is played. */
export interface GamePlace {
  /** Store objects on the same data. */
  readonly stores: readonly [RunEventStore, ...RunEventStore[]];
  /** A run that is not there yet. */
  readonly runId: string;
  /** How much later than promised a ring or an answer may come, in milliseconds. Default the kit's. */
  readonly patienceMs?: number | undefined;
}

/**
 * Plays a game in the order that the scheduler picks.
 * @throws Error for what breaks the contract
 */
export async function playGame(
  game: Game,
  scheduler: fc.Scheduler,
  { stores, runId, patienceMs }: GamePlace,
): Promise<void> {
  const { close, rings } = game;
  const deadlineMs = stores[0].capabilities.wakeDeadlineMs;
  await createRun(stores[0], runId);
  const stage = createStage(scheduler, deadlineMs, patienceMs);
  const clock = createHandClock();
  const found: unknown[] = [];
  const witness = createWitness(game, find);
  const staged = stores.map((store, index) =>
    createStagedStore(store, `store ${index + 1}`, { stage, witness, closes: close !== null }),
  );
  const opened = staged.map(({ store }) => createRunEvents({ store, clock }));
  const batches = batchesOf(game);
  let isOver = false;
  const readers = game.readers.map((planned, index) =>
    createGameReader(`reader ${index + 1}`, planned, {
      runId,
      staged: roundAt(staged, planned.store),
      runs: roundAt(opened, planned.store),
      stage,
      witness,
      clock,
      isOver: () => isOver,
      total: batches.flat().length,
    }),
  );
  const standing = (): string => readers.map((reader) => reader.describe()).join("; ");

  /** The game ends with the first that is found. */
  function find(failure: unknown): void {
    found.push(failure);
    stage.giveUp();
  }

  let closing: Promise<void> | null = null;

  async function closeOne({ store, late, by }: PlannedClose): Promise<void> {
    for (let turn = 0; turn < late; turn++) await stage.turn("close is late");
    const closed = roundAt(staged, store);
    closed.isClosing = true;
    closing = (by === "runs" ? roundAt(opened, store) : closed.store).close();
    await closing.finally(() => (closing = null));
  }

  const tasks = [
    writeBatches({ runId, batches, staged, stage }, close !== null),
    ...readers.map((reader) => reader.run()),
    ...(close === null ? [] : [closeOne(close)]),
  ];
  let live = tasks.length;
  const ends = tasks.map(async (task) => {
    const [outcome] = await Promise.allSettled([task]);
    live -= 1;
    if (outcome.status === "rejected") find(outcome.reason);
  });

  /** Nothing is left to pick: the bells that are owed ring, or it is time to read without; a close takes its time. */
  async function waitOn(): Promise<void> {
    if (closing !== null) {
      const next = Promise.race([closing, stage.arrival()]);
      await within(deadlineMs, next, "a close to end", patienceMs);
    } else if (rings.includes("dropped") || close !== null) clock.tick();
    else await within(deadlineMs, stage.arrival(), `a ring where ${standing()}`, patienceMs);
  }

  async function playOn(): Promise<void> {
    let idle = 0;
    let before = "";
    const endsAtMs = performance.now() + MOST_MS;
    for (let turn = 0; live > 0 && found.length === 0; turn++) {
      if (turn === MOST_TURNS || idle === MOST_IDLE || performance.now() > endsAtMs)
        throw new Error(`Expected an end, and nobody comes further where ${standing()}.`);
      if (!stage.hasTurns() || !roundAt(game.hasty, turn)) await stage.settle();
      if (stage.hasTurns()) {
        await stage.pick();
      } else if (live > 0) {
        const now = `${live} ${standing()}`;
        idle = now === before ? idle + 1 : 0;
        before = now;
        await waitOn();
      }
    }
  }

  async function endAll(isFailed: boolean): Promise<void> {
    isOver = true;
    await stage.open();
    const closed = opened.map((runs) => runs.close());
    clock.tick();
    // What has failed need not end well: it only has to be over before the next game.
    const endMs = isFailed ? 0 : patienceMs;
    await within(deadlineMs, Promise.all([...closed, ...ends]), "every call to end", endMs);
    for (const { page, text } of witness.pages) {
      if (JSON.stringify(page) !== text) witness.find("S11", `a page that was ${text} changed`);
    }
  }

  const [played] = await Promise.allSettled([playOn()]);
  const isFailed = found.length > 0 || played.status === "rejected";
  const [ended] = await Promise.allSettled([endAll(isFailed)]);
  // What was found says more than that somebody waited in vain.
  if (found.length > 0) throw found[0];
  for (const outcome of [played, ended]) if (outcome.status === "rejected") throw outcome.reason;
}

function createWitness({ rings }: Game, find: (failure: unknown) => void): Witness {
  let count = 0;
  return {
    acknowledged: 0,
    pages: [],
    nextRing() {
      count += 1;
      return roundAt(rings, count);
    },
    find: (clause, what) => find(new BrokenClause(clause, `${what}.`)),
  };
}

/** The value at an index that is counted round. */
function roundAt<Value>(values: readonly Value[], index: number): Value {
  return values[index % values.length] as Value;
}
