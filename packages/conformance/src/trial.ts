import type { RunEventStore } from "@tm/run-events-core";
import { PROFILES } from "./profile.ts";
import { createRandomCheck, type RandomCheck } from "./random-check.ts";
import { untilAborted } from "./until-aborted.ts";
import { within } from "./within.ts";

/** How the kit gets at stores. */
export interface StoreDoors {
  /** A fresh, empty store that nobody else uses. */
  readonly open: () => RunEventStore | Promise<RunEventStore>;
  /**
   * Another store object on the same data, after `store` was closed; where `capabilities.shared` also while it is open.
   * To be given exactly if the data outlives the store object.
   */
  readonly reopen?: (store: RunEventStore) => RunEventStore | Promise<RunEventStore>;
  /** Called once for each object that `open` or `reopen` gave, the youngest first, after it was closed. */
  readonly destroy?: (store: RunEventStore) => void | Promise<void>;
}

/** What one case works on. Everything it opens is closed and destroyed behind it. */
export interface Trial {
  /** Fresh and empty. */
  readonly store: RunEventStore;
  /** Whether a second object on the same data can be had. */
  readonly canReopen: boolean;
  /** The objects that may be open on the same data at once: two where `capabilities.shared`, else `store` alone. */
  stores(): Promise<readonly [RunEventStore, ...RunEventStore[]]>;
  /** Closes the youngest object and opens another on its data. */
  reopen(): Promise<RunEventStore>;
  /** Runs a body on a fresh, empty store, which has nothing to do with `store` and is closed and destroyed behind the body. */
  anew(body: (trial: Trial) => Promise<void>): Promise<void>;
  /** Tries many random inputs: how many, and which, is no affair of the case. */
  readonly check: RandomCheck;
}

/** One case before it knows its store. The name starts with the clause. */
export interface TrialCase {
  readonly name: string;
  readonly run: (trial: Trial) => Promise<void>;
}

/** What a trial is told beside its doors. */
export interface TrialConditions {
  /** Default: as the profile `ci` has it, with a seed of its own. */
  readonly check?: RandomCheck;
  /** Ends the trial: its stores are closed and destroyed, whatever the body still does. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs one body on a store of its own.
 * @throws what the body throws; else what closing or destroying does; the signal's reason if that came first
 */
export async function runTrial(
  doors: StoreDoors,
  body: (trial: Trial) => Promise<void>,
  conditions: TrialConditions = {},
): Promise<void> {
  const { signal } = conditions;
  signal?.throwIfAborted();
  const { open, reopen, destroy } = doors;
  const store = await open();
  const opened: [RunEventStore, ...RunEventStore[]] = [store];
  let youngest = store;
  let isOver = false;

  async function end(one: RunEventStore): Promise<readonly PromiseSettledResult<void>[]> {
    const ended: PromiseSettledResult<void>[] = [];
    for (const step of [async () => one.close(), async () => destroy?.(one)]) {
      // A store that hung until the trial was given up may hang at its end too.
      const settled = signal?.aborted ? within(0, step(), "the end of a store") : step();
      ended.push(...(await Promise.allSettled([settled])));
    }
    return ended;
  }

  async function another(): Promise<RunEventStore> {
    if (reopen === undefined) throw new TypeError("Expected `reopen` to be given.");
    const one = await reopen(youngest);
    if (isOver) {
      await end(one);
      throw new TypeError("Expected the trial not to be over.");
    }
    opened.push(one);
    youngest = one;
    return one;
  }

  const trial: Trial = {
    store,
    canReopen: reopen !== undefined,
    async stores() {
      return store.capabilities.shared ? [store, await another()] : [store];
    },
    async reopen() {
      await youngest.close();
      return another();
    },
    anew: (inner) => runTrial(doors, inner, conditions),
    check: conditions.check ?? createRandomCheck({ profile: PROFILES.ci, seed: randomSeed() }),
  };
  const outcomes: PromiseSettledResult<void>[] = await Promise.allSettled([
    untilAborted(body(trial), signal),
  ]);
  isOver = true;
  for (const one of opened.toReversed()) outcomes.push(...(await end(one)));
  // The body's failure stands first: it says more than what it left behind.
  const failure = outcomes.find((outcome) => outcome.status === "rejected");
  if (failure !== undefined) throw failure.reason;
}

/** A seed as fast-check takes it: 32 bits with a sign. */
export function randomSeed(): number {
  return (Math.random() * 2 ** 32) | 0;
}
