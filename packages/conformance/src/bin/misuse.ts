/** What the caller got wrong, in one line. The bin exits with 2. */
export class Misuse extends Error {
  override readonly name = "Misuse";
}

/**
 * Does what only the caller's mistake can make fail.
 * @param what stands before the reason
 * @throws Misuse for whatever the work throws
 */
export function orMisuse<T>(work: () => T, what = ""): T {
  try {
    return work();
  } catch (cause) {
    throw new Misuse(`${what}${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
