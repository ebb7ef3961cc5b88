/**
 * Makes a `fetch` of which at most `most` requests are under way at once. The others wait their turn. A request is on its way until
 * the head of its answer has come.
 */
export function limitFetch(fetch: typeof globalThis.fetch, most: number): typeof globalThis.fetch {
  let free = most;
  const waiting: (() => void)[] = [];
  return async (input, init) => {
    if (free > 0) free -= 1;
    else {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push(resolve);
      await promise;
    }
    try {
      init?.signal?.throwIfAborted();
      return await fetch(input, init);
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}
