import { eachAtMost } from "../../time/each-at-most.ts";
import type { KvEngine, KvPair } from "./engine.ts";
import { under } from "./keys.ts";

/** The number of removed runs that one round looks at, and of entries of each. */
const RUNS = 32;
const ENTRIES = 64;

/**
 * Removes what is left of removed runs, also of those whose process ended in between. Their keys are of no other run, since an ordinal is never
 * used twice, so that nothing has to be checked, and several processes may do it at the same time.
 */
export async function clearRemains(engine: KvEngine): Promise<void> {
  for (let isOver = false; !isOver;) {
    const writes = await engine.read(async (snapshot) => {
      const gone = await snapshot.scan({ ...under("gone"), limit: RUNS, reverse: false });
      const found: KvPair[] = [];
      await Promise.all(
        gone.map(async ({ key, value: path }) => {
          const entries = await snapshot.scan({ ...under(path), limit: ENTRIES, reverse: false });
          for (const entry of entries) found.push({ key: entry.key, value: null });
          if (entries.length === 0) found.push({ key, value: null });
        }),
      );
      return found;
    });
    isOver = true;
    const slices = slicesOf(writes, engine.limits.mostOps);
    await eachAtMost(slices, 4, async (slice) => {
      // If nothing can be removed, the rest waits for the next removal.
      if (await engine.commit([], slice)) isOver = false;
    });
  }
}

function slicesOf<T>(all: readonly T[], most: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(all.length / most) }, (_, at) =>
    all.slice(at * most, (at + 1) * most),
  );
}
