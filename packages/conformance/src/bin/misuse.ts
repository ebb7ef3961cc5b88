/** A wrong call of the command, described in one line. The bin exits with 2. */
export class Misuse extends Error {
  override readonly name = "Misuse";
}

/**
 * Does work that can only fail by a mistake of the caller.
 * @param what the text before the reason
 * @throws Misuse for each error of the work
 */
export function orMisuse<T>(work: () => T, what = ""): T {
  try {
    return work();
  } catch (cause) {
    throw new Misuse(`${what}${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
