import fc from "fast-check";
import { Counterexample } from "./counterexample.ts";
import { nextTurn } from "./next-turn.ts";
import type { InputKind, Profile } from "./profile.ts";
import type { InputAddress } from "./replay.ts";

/** The time for which inputs are tried without a turn for anything else, in milliseconds. */
const TURN_MS = 50;

/** How often inputs are run to make one that failed smaller. A race on a slow store could otherwise take minutes. */
const MOST_TRIES = 2_000;

/** The inputs of a random case. */
interface CheckManner<T> {
  readonly kind: InputKind;
  /** For races, which fail only now and then: how often to run an input, once one has failed or is run again. Default 1. */
  readonly chances?: number;
  /** Inputs to begin with, before any is drawn. */
  readonly always?: readonly T[];
}

/**
 * Tries what has to hold on many inputs. Every random case goes through it.
 * @throws Counterexample with the smallest input that was found
 */
export type RandomCheck = <T>(
  inputs: fc.Arbitrary<T>,
  holds: (input: T) => Promise<void>,
  manner: CheckManner<T>,
) => Promise<void>;

/** The settings of a run of a random case. */
export interface CheckConditions {
  readonly profile: Profile;
  readonly seed: number;
  /** Run this input alone. */
  readonly replay?: InputAddress;
  /** From then on every input counts as good, so that the check comes to its end. */
  readonly signal?: AbortSignal;
}

/** A check under these conditions. */
export function createRandomCheck(conditions: CheckConditions): RandomCheck {
  const { profile, seed, replay, signal } = conditions;
  return async <T>(
    inputs: fc.Arbitrary<T>,
    holds: (input: T) => Promise<void>,
    { kind, chances = 1, always = [] }: CheckManner<T>,
  ): Promise<void> => {
    const fixed = { examples: always.map((one): [T] => [one]) };
    let hasFailed = false;
    let tries = 0;
    let turnedAt = performance.now();

    async function tryInput(input: T): Promise<void> {
      if (performance.now() - turnedAt > TURN_MS) {
        await nextTurn();
        turnedAt = performance.now();
      }
      for (let chance = 0; chance < (hasFailed ? chances : 1); chance++) {
        if (signal?.aborted || tries >= MOST_TRIES) return;
        if (hasFailed) tries += 1;
        try {
          await holds(input);
        } catch (error) {
          hasFailed = true;
          throw error;
        }
      }
    }

    /** @throws TypeError if the address leads nowhere */
    function find({ seed: from, path }: InputAddress): T {
      const where = { seed: from, path, numRuns: 1, ...fixed };
      const nowhere = `Expected an input at the path ${path}, found none.`;
      let sampled: readonly [T] | undefined;
      try {
        // A property draws tuples, and a path leads to its input only from what was drawn.
        [sampled] = fc.sample(fc.tuple(inputs), where);
      } catch (cause) {
        throw new TypeError(nowhere, { cause });
      }
      if (sampled === undefined) throw new TypeError(nowhere);
      return sampled[0];
    }

    async function runAgain(address: InputAddress): Promise<void> {
      const input = find(address);
      hasFailed = true;
      try {
        await tryInput(input);
      } catch (cause) {
        throw new Counterexample(input, address, "It was run again.", cause);
      }
    }

    if (replay !== undefined) return runAgain(replay);
    const numRuns = profile.inputs[kind] + always.length;
    const details = await fc.check(fc.asyncProperty(inputs, tryInput), {
      seed,
      numRuns,
      ...fixed,
    });
    if (!details.failed) return;
    const { counterexample, counterexamplePath, errorInstance: cause } = details;
    if (counterexample === null || counterexamplePath === null) {
      throw new TypeError("Expected a failed check to have a counterexample.", { cause });
    }
    const found = `It is number ${details.numRuns} of ${numRuns}, made smaller ${details.numShrinks} times.`;
    const address = { seed: details.seed, path: counterexamplePath };
    throw new Counterexample(counterexample[0], address, found, cause);
  };
}
