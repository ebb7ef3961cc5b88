/** The time that a store may be late past its own deadline before the kit gives up: bounds a hang, not its speed. */
const PATIENCE_MS = 10_000;

/**
 * Waits for something that a store owes.
 * @param deadlineMs what the store itself declares
 * @param patienceMs how much later it may come
 * @throws Error that names what did not come
 */
export async function within<T>(
  deadlineMs: number,
  owed: Promise<T>,
  what: string,
  patienceMs: number = PATIENCE_MS,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooLate = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const late = `but it did not come, even ${patienceMs} ms later`;
      reject(new Error(`Expected ${what} within ${deadlineMs} ms, ${late}.`));
    }, deadlineMs + patienceMs);
  });
  try {
    return await Promise.race([owed, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
