import type { RunEventStore } from "@tm/run-events-core/store";
import { PROFILES } from "./profile.ts";
import { createRandomCheck, type RandomCheck } from "./random-check.ts";
import { untilAborted } from "./until-aborted.ts";
import { within } from "./within.ts";

/** How the kit gets at stores. */
export interface StoreDoors extends BeneathDoors {
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

/**
 * Functions with which the kit looks inside a store, and damages what it depends on. Each is optional: without it, the cases that
 * need it are not in the list.
 */
export interface BeneathDoors {
  /**
   * How many rows, keys or entries the store keeps of runs, by kind, such as `{ runs: 3, events: 12, keys: 2 }`. What it keeps
   * without any run, such as a counter, may count or not.
   */
  readonly leftovers?: (store: RunEventStore) => Counts | Promise<Counts>;
  /** What all calls of this store object have cost so far. The kit compares before a call and after it. */
  readonly cost?: (store: RunEventStore) => Cost | Promise<Cost>;
  /** Removes a run's idempotency keys from the store, as an accident may, and nothing else. */
  readonly loseReceipts?: (store: RunEventStore, runId: string) => void | Promise<void>;
  /**
   * From now on every write of this store object fails: its disk is full or read-only, or its server is a replica. Other store
   * objects on the same data go on writing. If the server is a replica, it gets nothing of what they write.
   * @returns a function that lets the store object write again, and resolves when it can
   */
  readonly refuseWrites?: (store: RunEventStore) => Restore | Promise<Restore>;
}

/** Undoes what a door has done to a store. */
export type Restore = () => void | Promise<void>;

/** How many there are, by kind. */
export type Counts = Readonly<Record<string, number>>;

/** What calls cost, counted from any beginning. */
export interface Cost {
  /** How many statements, commands or scripts were sent. */
  readonly statements: number;
  /** How many rows or entries were looked at for them, where that can be known. */
  readonly rows?: number;
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
  /** Beneath the store; those are there that the case needs. */
  readonly beneath: Required<BeneathDoors>;
  /** Tries many random inputs: how many, and which, is no affair of the case. */
  readonly check: RandomCheck;
}

/** One case before it knows its store. The name starts with the clause. */
export interface TrialCase {
  readonly name: string;
  /** A door without which it is not in the list. */
  readonly needs?: keyof BeneathDoors;
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
 * Runs one body on a store of its own. Once the signal aborts, nothing is waited for but the ends of what is open, and each of
 * those no longer than `within` waits; what opens later is closed and destroyed then.
 * @throws what the body throws; else what opening, closing or destroying does; the signal's reason if that came first
 */
export async function runTrial(
  doors: StoreDoors,
  body: (trial: Trial) => Promise<void>,
  conditions: TrialConditions = {},
): Promise<void> {
  const { signal } = conditions;
  signal?.throwIfAborted();
  const { open, reopen, destroy } = doors;
  const opened: RunEventStore[] = [];
  const inner: Promise<void>[] = [];
  let isOver = false;

  async function end(one: RunEventStore): Promise<readonly PromiseSettledResult<void>[]> {
    const ended: PromiseSettledResult<void>[] = [];
    for (const step of [async () => one.close(), async () => destroy?.(one)]) {
      ended.push(...(await Promise.allSettled([endStep(step(), signal)])));
    }
    return ended;
  }

  /** Opens an object that ends with the trial, or at once if the trial is over by then. */
  async function keep(opening: StoreDoors["open"]): Promise<RunEventStore> {
    if (isOver) throw tooLate();
    const one = await opening();
    if (isOver) {
      await end(one);
      throw tooLate();
    }
    opened.push(one);
    return one;
  }

  async function play(): Promise<void> {
    const store = await keep(open);
    let youngest = store;

    async function another(): Promise<RunEventStore> {
      if (reopen === undefined) throw new TypeError("Expected `reopen` to be given.");
      youngest = await keep(() => reopen(youngest));
      return youngest;
    }

    await body({
      store,
      canReopen: reopen !== undefined,
      beneath: requireDoors(doors),
      async stores() {
        // Where `reopen` is missing one case of S6 says so, and the others need not.
        const isShared = store.capabilities.shared && reopen !== undefined;
        return isShared ? [store, await another()] : [store];
      },
      async reopen() {
        await youngest.close();
        return another();
      },
      async anew(innerBody) {
        const running = runTrial(doors, innerBody, conditions);
        inner.push(running);
        await running;
      },
      check: conditions.check ?? createRandomCheck({ profile: PROFILES.ci, seed: randomSeed() }),
    });
  }

  const outcomes = await Promise.allSettled([untilAborted(play(), signal)]);
  isOver = true;
  // The signal ends these too; their failures are the body's affair.
  await Promise.allSettled(inner);
  for (const one of opened.toReversed()) outcomes.push(...(await end(one)));
  // The body's failure stands first: it says more than what it left behind.
  const failure = outcomes.find((outcome) => outcome.status === "rejected");
  if (failure !== undefined) throw failure.reason;
}

/** All these functions; those that were not given throw. */
export function requireDoors(given: BeneathDoors): Required<BeneathDoors> {
  const missing = (): never => {
    throw new TypeError("Expected a case to say which door beneath the store it needs.");
  };
  const { leftovers = missing, cost = missing } = given;
  const { loseReceipts = missing, refuseWrites = missing } = given;
  return { leftovers, cost, loseReceipts, refuseWrites };
}

function tooLate(): TypeError {
  return new TypeError("Expected the trial not to be over.");
}

/** A store that hung until the trial was given up may hang at its end too, and a trial may be given up while it ends. */
async function endStep(step: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  await Promise.allSettled([untilAborted(step, signal)]);
  return signal?.aborted ? within(0, step, "the end of a store") : step;
}

/** A seed as fast-check takes it: 32 bits with a sign. */
export function randomSeed(): number {
  return (Math.random() * 2 ** 32) | 0;
}
