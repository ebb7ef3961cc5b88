import { type KitStore, kitStore } from "./kit-store.ts";
import { type Beneath, beneathPlace, type BeneathDoors, type StoreDoors } from "./doors.ts";
import { OpenPlace } from "./place.ts";
import { PROFILES } from "./profile.ts";
import { createRandomCheck, type RandomCheck } from "./random-check.ts";
import { untilAborted } from "./until-aborted.ts";

/** The stores that one case works on. Everything it opens is closed and destroyed after it. */
export interface Trial {
  /** Fresh and empty. */
  readonly store: KitStore;
  /** Whether a second object on the same data can be had. */
  readonly canReopen: boolean;
  /** The objects that may be open on the same data at once: two where `capabilities.shared`, else `store` alone. */
  stores(): Promise<readonly [KitStore, ...KitStore[]]>;
  /** Closes the youngest object and opens another on its data. */
  reopen(): Promise<KitStore>;
  /** Runs a body on a fresh, empty store, which has nothing to do with `store` and is closed and destroyed after the body. */
  withFreshStore(body: (trial: Trial) => Promise<void>): Promise<void>;
  /** Beneath the store; those are there that the case needs. */
  readonly beneath: Beneath;
  /** Tries many random inputs: how many, and which, is no affair of the case. */
  readonly check: RandomCheck;
}

/** One case before it knows its store. The name starts with the clause. */
export interface TrialCase {
  readonly name: string;
  /** A door without which it is not in the list. */
  readonly needs?: keyof BeneathDoors | "prepare";
  readonly run: (trial: Trial) => Promise<void>;
}

/** The conditions of a trial, besides its doors. */
export interface TrialConditions {
  /** Default: as the profile `ci` has it, with a seed of its own. */
  readonly check?: RandomCheck;
  /** Ends the trial: its stores are closed and its place is destroyed, even if the body is still running. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs one body on a store of its own. Once the signal aborts, nothing is waited for but the ends of what is open, and each of
 * those, with what is only opening, no longer than `within` waits.
 * @throws what the body throws; else what opening, closing or destroying does; the signal's reason if that came first
 */
export async function runTrial<Place>(
  doors: StoreDoors<Place>,
  body: (trial: Trial) => Promise<void>,
  conditions: TrialConditions = {},
): Promise<void> {
  const { signal } = conditions;
  signal?.throwIfAborted();
  const opened = new OpenPlace(doors, signal);
  const inner: Promise<void>[] = [];

  async function play(): Promise<void> {
    const place = await opened.prepare();
    const canReopen = doors.prepare !== undefined;
    const first = await opened.open(place);
    const store = kitStore(first);
    let youngest = first;

    async function another(): Promise<KitStore> {
      youngest = await opened.open(place);
      return kitStore(youngest);
    }

    await body({
      store,
      canReopen,
      beneath: beneathPlace(doors, place),
      async stores() {
        // Where `prepare` is missing one case of S6 fails for it, and the others need not.
        return store.capabilities.shared && canReopen ? [store, await another()] : [store];
      },
      async reopen() {
        await youngest.close();
        return another();
      },
      async withFreshStore(innerBody) {
        const running = runTrial(doors, innerBody, conditions);
        inner.push(running);
        await running;
      },
      check: conditions.check ?? createRandomCheck({ profile: PROFILES.ci, seed: randomSeed() }),
    });
  }

  const outcomes: PromiseSettledResult<void>[] = await Promise.allSettled([
    untilAborted(play(), signal),
  ]);
  opened.stop();
  // The signal ends these too; their failures are the body's affair.
  await Promise.allSettled(inner);
  outcomes.push(...(await opened.end()));
  // The body's failure comes first: the failures of closing and destroying may follow from it.
  const failure = outcomes.find((outcome) => outcome.status === "rejected");
  if (failure !== undefined) throw failure.reason;
}

/** A seed as fast-check takes it: 32 bits with a sign. */
export function randomSeed(): number {
  return (Math.random() * 2 ** 32) | 0;
}
