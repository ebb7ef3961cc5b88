/** The time that the result of a look stays valid, in milliseconds. */
const FRESH_MS = 100;

/**
 * Makes a look that is shared by all callers while it is under way and for 100 ms after it, so that it costs the same however many there
 * are.
 * @param look asks once. If it rejects, that is shared too
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
