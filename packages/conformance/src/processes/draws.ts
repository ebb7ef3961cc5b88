import fc from "fast-check";

/** Draws what a case leaves to chance. The same seed gives the same values in the same order. */
export type Draws = <T>(arbitrary: fc.Arbitrary<T>) => T;

/** @param seed a 32-bit integer with a sign */
export function createDraws(seed: number): Draws {
  const [generate] = fc.sample(fc.gen(), { seed, numRuns: 1 });
  if (generate === undefined) throw new TypeError(`Expected the seed ${seed} to give one sample.`);
  return (arbitrary) => generate(() => arbitrary);
}
