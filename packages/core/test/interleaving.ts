import fc from "fast-check";

/** What may happen in a world: to its item `at`, `count` times, with readers that take a frame when `takes` says so. */
export type Act<World> = (
  world: World,
  at: number,
  count: number,
  takes: () => boolean,
) => void | Promise<void>;

/** One act of a script, and the microtasks after it. */
export interface Step<Name extends string> {
  readonly name: Name;
  readonly at: number;
  readonly count: number;
  readonly hops: number;
}

/** Scripts of acts, each as likely as its weight says. */
export function scriptOf<Name extends string>(
  weights: Readonly<Record<Name, number>>,
  most: { readonly count: number; readonly hops: number; readonly steps: number },
): fc.Arbitrary<readonly Step<Name>[]> {
  const names = Object.entries<number>(weights).map(([name, weight]) => ({
    weight,
    arbitrary: fc.constant(name as Name),
  }));
  return fc.array(
    fc.record({
      name: fc.oneof(...names),
      at: fc.nat({ max: 11 }),
      count: fc.nat({ max: most.count }),
      hops: fc.nat({ max: most.hops }),
    }),
    { minLength: 10, maxLength: most.steps, size: "max" },
  );
}

/** Whether a reader takes the next frame: mostly. */
export const coins: fc.Arbitrary<Iterator<boolean>> = fc.infiniteStream(
  fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, fc.boolean()),
);

/** The item at this place, counted round. */
export function pick<T>(list: readonly T[], at: number): T | undefined {
  return list[at % list.length];
}
