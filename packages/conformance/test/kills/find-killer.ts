import type { Failure, JudgedMutant } from "./mutant-suite.ts";

/** A case that draws no inputs shows in this many rounds whether it always finds a mutant. */
const ROUNDS = 3;
/** One that draws them has to find it so often. */
const CHANCE_ROUNDS = 50;

/**
 * The first case that finds a mutant in every round; one that draws its inputs only if there is no other.
 * @returns `null` if each case has missed it once
 */
export async function findKiller({ judge }: Pick<JudgedMutant, "judge">): Promise<string | null> {
  let found: readonly Failure[] = await judge();
  for (let round = 1; round < CHANCE_ROUNDS; round++) {
    const sure = found.find(({ isRandom }) => !isRandom);
    if (found.length === 0 || (sure !== undefined && round >= ROUNDS)) break;
    found = inBoth(found, await judge());
  }
  return (found.find(({ isRandom }) => !isRandom) ?? found[0])?.name ?? null;
}

/** Those that are in both rounds; random if they were it once. */
function inBoth(found: readonly Failure[], again: readonly Failure[]): readonly Failure[] {
  return found.flatMap((one) => {
    const other = again.find(({ name }) => name === one.name);
    return other === undefined ? [] : [one.isRandom ? one : other];
  });
}
