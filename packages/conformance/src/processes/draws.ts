import fc from "fast-check";

/** The random decisions of a case. The same seed gives the same decisions, in the order in which they are asked for. */
export interface Draws {
  from<T>(this: void, arbitrary: fc.Arbitrary<T>): T;
  /** From 0 up to 1, without 1, each as likely. */
  fraction(this: void): number;
}

const STEPS = 2 ** 20;
const fractions = fc.noBias(fc.nat(STEPS - 1)).map((step) => step / STEPS);

/** @param seed a 32-bit integer with a sign */
export function createDraws(seed: number): Draws {
  const [generate] = fc.sample(fc.gen(), { seed, numRuns: 1 });
  if (generate === undefined) throw new TypeError(`Expected the seed ${seed} to give one sample.`);
  return {
    from: (arbitrary) => generate(() => arbitrary),
    fraction: () => generate(() => fractions),
  };
}
