/** Bounds how many pieces of each owner's work run at once. */
export interface Places {
  /** Runs the work when its owner has a free place, in the order of the calls. Work that fails also frees its place. */
  run<Result>(ownerId: string, work: () => Promise<Result>): Promise<Result>;
}

interface Owner {
  taken: number;
  readonly waiting: (() => void)[];
}

/**
 * Makes `most` places for each owner. An owner without work takes no memory.
 *
 * | an owner's places | work comes                | work ends                      |
 * | ----------------- | ------------------------- | ------------------------------ |
 * | none taken        | begins; one is taken      | -                              |
 * | some taken        | begins; one more is taken | one fewer is taken             |
 * | all taken         | waits                     | the first that waits begins    |
 */
export function createPlaces(most: number): Places {
  const owners = new Map<string, Owner>();

  function leave(ownerId: string, owner: Owner): void {
    const next = owner.waiting.shift();
    // The next one takes over the place.
    if (next !== undefined) return next();
    owner.taken -= 1;
    if (owner.taken === 0) owners.delete(ownerId);
  }

  return {
    async run(ownerId, work) {
      const owner = owners.get(ownerId) ?? { taken: 0, waiting: [] };
      owners.set(ownerId, owner);
      if (owner.taken < most) owner.taken += 1;
      else await new Promise<void>((resolve) => owner.waiting.push(resolve));
      try {
        return await work();
      } finally {
        leave(ownerId, owner);
      }
    },
  };
}
