import { eachAtMost } from "../../time/each-at-most.ts";
import type { KvEngine, KvPair } from "./engine.ts";
import { under } from "./keys.ts";

/** The number of removed runs that one round looks at, and of entries of each. */
const RUNS = 32;
const ENTRIES = 64;
/** The number of rounds in a row without any commit after which the rest is left to the next removal. */
const MOST_FAILED = 32;

/**
 * Removes what is left of removed runs, also of those whose process ended in between. Their keys are of no other run, since an ordinal is never
 * used twice, so that nothing has to be checked, and several processes may do it at the same time.
 */
export async function clearRemains(engine: KvEngine): Promise<void> {
  for (let failed = 0; failed < MOST_FAILED; failed++) {
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
    if (writes.length === 0) return;
    await eachAtMost(slicesOf(writes, engine.limits.mostOps), 4, async (slice) => {
      if (await engine.commit([], slice)) failed = -1;
    });
  }
}

function slicesOf<T>(all: readonly T[], most: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(all.length / most) }, (_, at) =>
    all.slice(at * most, (at + 1) * most),
  );
}
