import { RunEventsError } from "@tm/run-events-core";
import { nameKey, type RunName } from "@tm/run-events-core/store";
import type { KitStore } from "../kit-store.ts";
import { nextTurn } from "../next-turn.ts";
import { turns } from "../turns.ts";
import type { Answered, Asked, Part, RaceOperation } from "./operation.ts";
import { askedOf } from "./race-calls.ts";
import { type Caller, nameOf, type SeenRun } from "./race-request.ts";
import { type RaceRun, type RaceStep, RUN_IDS } from "./race.ts";

/** A client that was shown nothing of the run. */
const UNSEEN: SeenRun = { lastSequence: 0, fence: 0, former: -1 };

/** Where the clients of a race run. */
export interface RacePlace {
  /** The prefix of every id and owner, so that many races run on one store. */
  readonly prefix: string;
  /** The names of the runs, without the prefix. Default {@link RUN_IDS}. */
  readonly runIds?: readonly string[];
  /** Counts the instants: no two are the same. */
  readonly now: () => number;
  /** Whether a driver may have sent a call again by itself, so that its answer may be the second one. */
  readonly mayRepeat: boolean;
  /** Gets what the calls came to. */
  readonly operations: RaceOperation[];
}

/** Outcomes that a call also has if it had an effect before, and was sent again beneath the store. */
const SECOND_OUTCOMES: ReadonlySet<unknown> = new Set([
  "replayed",
  "existing",
  "claimed",
  "fenced",
  "finished",
]);

/** One client of a race. */
export class RaceClient {
  readonly #name: string;
  readonly #store: KitStore;
  readonly #place: RacePlace;
  readonly #seen: Map<string, SeenRun>;
  readonly #caller: Caller;

  /** @param seen what it was shown before the race */
  constructor(
    name: string,
    store: KitStore,
    place: RacePlace,
    seen: ReadonlyMap<string, SeenRun> = new Map(),
  ) {
    let count = 0;
    this.#name = name;
    this.#store = store;
    this.#place = place;
    this.#seen = new Map(seen);
    const own = (text: string): string => `${place.prefix}${text}`;
    this.#caller = {
      runIds: (place.runIds ?? RUN_IDS).map(own),
      mayRepeat: place.mayRepeat,
      own,
      nextName: () => `${name}.${(count += 1)}`,
      seenOf: (run) => this.#seen.get(nameKey(run)) ?? UNSEEN,
    };
  }

  get seen(): ReadonlyMap<string, SeenRun> {
    return this.#seen;
  }

  async run(steps: readonly RaceStep[]): Promise<void> {
    for (const step of steps) await this.step(step);
  }

  /**
   * @returns the runs that the answer shows
   * @throws what the store throws; what a call without an answer may have done is recorded then
   */
  async step(step: RaceStep): Promise<Answered["shows"]> {
    if (step.call !== "pause") return (await this.make(askedOf(step, this.#caller))).shows;
    await (step.turns === 0 ? nextTurn() : turns(step.turns));
    return [];
  }

  /** Makes a call, and records what came of it. */
  async make(asked: Asked): Promise<Answered> {
    const begunAt = this.#place.now();
    try {
      const answered = await asked.ask(this.#store);
      this.#record(asked, answered.parts, { begunAt, endedAt: this.#place.now() });
      this.#learn(answered);
      return answered;
    } catch (error) {
      const mayHaveLanded = !(error instanceof RunEventsError) || error.ambiguous;
      if (mayHaveLanded) this.#record(asked, asked.unanswered, { begunAt, endedAt: Infinity });
      throw error;
    }
  }

  /** A run as the store knows it. */
  nameOf(run: RaceRun): RunName {
    return nameOf(this.#caller, run);
  }

  #record(
    asked: Asked,
    parts: readonly Part[],
    times: Pick<RaceOperation, "begunAt" | "endedAt">,
  ): void {
    let before: RaceOperation | null = null;
    for (const [at, { isOrdered = false, ...part }] of parts.entries()) {
      const after: RaceOperation | null = isOrdered ? before : null;
      const isSecond = this.#place.mayRepeat && SECOND_OUTCOMES.has(part.outcome);
      const judgeFirst = isSecond ? (asked.unanswered[at]?.judge ?? null) : null;
      before = { client: this.#name, asked, ...part, ...times, after, judgeFirst };
      this.#place.operations.push(before);
    }
  }

  #learn({ shows }: Answered): void {
    for (const { runId, ownerId, lastSequence, fence } of shows) {
      const name = { ownerId, runId };
      const known = this.#seen.get(nameKey(name)) ?? UNSEEN;
      const isNext = fence !== undefined && fence !== known.fence;
      this.#seen.set(nameKey(name), {
        lastSequence: lastSequence ?? known.lastSequence,
        fence: fence ?? known.fence,
        former: isNext && known.fence !== 0 ? known.fence : known.former,
      });
    }
  }
}
