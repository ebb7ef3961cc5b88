import type { KitStore } from "../kit-store.ts";
import type fc from "fast-check";
import { BrokenClause } from "../assert.ts";
import { createHandClock } from "../hand-clock.ts";
import { createRun } from "../read-log.ts";
import { within } from "../within.ts";
import { batchesOf, type Game, type PlannedClose } from "./game.ts";
import { createGameReader, type GameReader } from "./game-reader.ts";
import { createStage, type Stage } from "./stage.ts";
import { createStagedStore, type StagedStore, type Witness } from "./staged-store.ts";
import { writeBatches } from "./write-batches.ts";

/** More turns than any game takes that comes to an end. */
const MOST_TURNS = 5_000;
/** Longer than any game takes, in milliseconds. A case with longer games would not end within its time. */
const MOST_MS = 30_000;
/** After this many notifications, or polls, that bring no reader further a reader is stuck. */
const MOST_IDLE = 10;

/** The store objects and the run of a game. */
export interface GamePlace {
  /** Store objects on the same data. */
  readonly stores: readonly [KitStore, ...KitStore[]];
  /** A run that does not exist yet. */
  readonly runId: string;
  /** The tolerated delay of a notification or an answer beyond what was promised, in milliseconds. Default the kit's. */
  readonly patienceMs?: number | undefined;
}

/**
 * Plays a game in the order that the scheduler picks.
 * @throws Error for what breaks the contract
 */
export async function playGame(
  game: Game,
  scheduler: fc.Scheduler,
  place: GamePlace,
): Promise<void> {
  await createRun(place.stores[0], place.runId);
  await new Play(game, scheduler, place).run();
}

/** A game under way: a writer, its readers, and perhaps a close of a store. It ends when all of them have ended. */
class Play {
  readonly #game: Game;
  readonly #runId: string;
  readonly #deadlineMs: number;
  readonly #patienceMs: number | undefined;
  readonly #stage: Stage;
  readonly #clock = createHandClock();
  readonly #witness: Witness;
  readonly #staged: readonly StagedStore[];
  readonly #batches: ReturnType<typeof batchesOf>;
  readonly #readers: readonly GameReader[];
  readonly #found: unknown[] = [];
  #isOver = false;
  /** A store that is closing. */
  #closing: Promise<void> | null = null;
  /** The number of players that have not ended. */
  #live = 0;

  constructor(game: Game, scheduler: fc.Scheduler, { stores, runId, patienceMs }: GamePlace) {
    this.#game = game;
    this.#runId = runId;
    this.#patienceMs = patienceMs;
    this.#deadlineMs = stores[0].capabilities.notifyWithinMs;
    const stage = createStage(scheduler, this.#deadlineMs, patienceMs);
    const witness = createWitness(game, (failure) => this.#find(failure));
    const closes = game.close !== null;
    this.#stage = stage;
    this.#witness = witness;
    this.#staged = stores.map((store, index) =>
      createStagedStore(store.inner, `store ${index + 1}`, { stage, witness, closes }),
    );
    this.#batches = batchesOf(game);
    this.#readers = game.readers.map((planned, index) =>
      createGameReader(`reader ${index + 1}`, planned, {
        runId,
        staged: roundAt(this.#staged, planned.store),
        stage,
        witness,
        clock: this.#clock,
        isOver: () => this.#isOver,
        total: this.#batches.flat().length,
      }),
    );
  }

  async run(): Promise<void> {
    const ends = this.#start();
    const [played] = await Promise.allSettled([this.#playOn()]);
    const isFailed = this.#found.length > 0 || played.status === "rejected";
    const [ended] = await Promise.allSettled([this.#endAll(ends, isFailed)]);
    // A fault that was found explains more than a reader that waited in vain.
    if (this.#found.length > 0) throw this.#found[0];
    for (const outcome of [played, ended]) if (outcome.status === "rejected") throw outcome.reason;
  }

  /** Starts all players. @returns their ends */
  #start(): readonly Promise<void>[] {
    const { close } = this.#game;
    const all = { runId: this.#runId, batches: this.#batches, staged: this.#staged };
    const tasks = [
      writeBatches({ ...all, stage: this.#stage }, close !== null),
      ...this.#readers.map((reader) => reader.run()),
      ...(close === null ? [] : [this.#close(close)]),
    ];
    this.#live = tasks.length;
    return tasks.map(async (task) => {
      const [outcome] = await Promise.allSettled([task]);
      this.#live -= 1;
      if (outcome.status === "rejected") this.#find(outcome.reason);
    });
  }

  /** The game ends with the first that is found. */
  #find(failure: unknown): void {
    this.#found.push(failure);
    this.#stage.giveUp();
  }

  async #close({ store, late }: PlannedClose): Promise<void> {
    for (let turn = 0; turn < late; turn++) await this.#stage.turn("close is late");
    const closed = roundAt(this.#staged, store);
    closed.isClosing = true;
    this.#closing = closed.store.close();
    await this.#closing.finally(() => (this.#closing = null));
  }

  async #playOn(): Promise<void> {
    let idle = 0;
    let before = "";
    const endsAtMs = performance.now() + MOST_MS;
    for (let turn = 0; this.#live > 0 && this.#found.length === 0; turn++) {
      if (turn === MOST_TURNS || idle === MOST_IDLE || performance.now() > endsAtMs)
        throw new Error(
          `Expected every reader to end, but none comes further: ${this.#progress()}.`,
        );
      if (!this.#stage.hasTurns() || !roundAt(this.#game.hasty, turn)) await this.#stage.settle();
      if (this.#stage.hasTurns()) {
        await this.#stage.pick();
      } else if (this.#live > 0) {
        const now = `${this.#live} ${this.#progress()}`;
        idle = now === before ? idle + 1 : 0;
        before = now;
        await this.#waitOn();
      }
    }
  }

  #progress(): string {
    return this.#readers.map((reader) => reader.describe()).join("; ");
  }

  /** Nothing is left to pick. Waits for the notifications that are owed, for the time to poll, or for a close. */
  async #waitOn(): Promise<void> {
    const arrival = (): Promise<unknown> => this.#stage.arrival();
    if (this.#closing !== null) {
      await this.#within(Promise.race([this.#closing, arrival()]), "a close to end");
    } else if (this.#game.close !== null) this.#clock.tick();
    else await this.#within(arrival(), `a notification, at ${this.#progress()}`);
  }

  async #within(awaited: Promise<unknown>, what: string): Promise<void> {
    await within(this.#deadlineMs, awaited, what, this.#patienceMs);
  }

  async #endAll(ends: readonly Promise<void>[], isFailed: boolean): Promise<void> {
    this.#isOver = true;
    await this.#stage.open();
    this.#clock.tick();
    // A failed game need not end well, but it has to be over before the next one.
    const endMs = isFailed ? 0 : this.#patienceMs;
    await within(this.#deadlineMs, Promise.all(ends), "every call to end", endMs);
    for (const { page, text } of this.#witness.pages) {
      if (JSON.stringify(page) !== text) {
        this.#witness.find("S11", `a page that was ${text} changed`);
      }
    }
  }
}

function createWitness({ fates }: Game, find: (failure: unknown) => void): Witness {
  let count = 0;
  return {
    acknowledged: 0,
    pages: [],
    nextNotification() {
      count += 1;
      return roundAt(fates, count);
    },
    find: (clause, what) => find(new BrokenClause(clause, `${what}.`)),
  };
}

/** The value at an index that is counted round. */
function roundAt<Value>(values: readonly Value[], index: number): Value {
  return values[index % values.length] as Value;
}
