import type { KitStore } from "../kit-store.ts";
import { BrokenClause } from "../assert.ts";
import { exclusive } from "../cases/exclusive.ts";
import { due } from "../cases/due.ts";
import { leaseEnds } from "../cases/lease-ends.ts";
import { purging } from "../cases/purging.ts";
import { starting } from "../cases/starting.ts";
import { beneathPlace } from "../doors.ts";
import { sayWhy } from "../describe-error.ts";
import { PROFILES } from "../profile.ts";
import { createRandomCheck } from "../random-check.ts";
import { randomSeed, type Trial, type TrialCase } from "../trial.ts";

const ALL: readonly TrialCase[] = [...leaseEnds, ...purging, ...due, ...exclusive, ...starting];

/**
 * Runs cases for one process, one after the other, on one store. Cases that run together must not affect each other.
 * @throws BrokenClause of the case that fails; TypeError for a name of none
 */
export async function runCasesOn(store: KitStore, names: readonly string[]): Promise<void> {
  const refuse = (): never => {
    throw new TypeError("Expected a case that makes do with one store.");
  };
  const check = createRandomCheck({ profile: PROFILES.quick, seed: randomSeed() });
  const stores: Trial["stores"] = async () => [store];
  const rest = {
    canReopen: false,
    beneath: beneathPlace({}, undefined),
    reopen: refuse,
    withFreshStore: refuse,
  };
  const alone: Trial = { store, stores, check, ...rest };
  for (const name of names) {
    const found = ALL.find((one) => one.name === name);
    if (found === undefined) throw new TypeError(`Expected the name of a case, got ${name}.`);
    try {
      await found.run(alone);
    } catch (error) {
      if (error instanceof BrokenClause) throw error;
      const clause = name.slice(0, name.indexOf(" "));
      throw new BrokenClause(clause, `${name}\n${sayWhy(error)}`);
    }
  }
}
