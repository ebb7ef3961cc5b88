/** For how long what a look has shown is taken for true, in milliseconds. */
const FRESH_MS = 100;

/**
 * Makes a look that all share who ask while it is under way, and for 100 ms more. So it costs the same however many ask.
 * @param look may reject, which is shared too
 */
export function shareLook<Seen>(look: () => Promise<Seen>): () => Promise<Seen> {
  let latest: Promise<Seen> | null = null;
  let endedAt = 0;
  return () => {
    if (latest === null || performance.now() - endedAt >= FRESH_MS) {
      endedAt = Number.POSITIVE_INFINITY;
      latest = look().finally(() => (endedAt = performance.now()));
    }
    return latest;
  };
}
