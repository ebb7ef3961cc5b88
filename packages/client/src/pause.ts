/**
 * Waits, or until it is woken.
 * @param wake is given what ends the wait
 * @throws the signal's reason
 */
export async function pause(
  ms: number,
  signal: AbortSignal,
  wake: (end: () => void) => void = () => {},
): Promise<void> {
  signal.throwIfAborted();
  const over = Promise.withResolvers<void>();
  const abort = (): void => over.reject(signal.reason);
  const timer = setTimeout(over.resolve, ms);
  signal.addEventListener("abort", abort, { once: true });
  wake(over.resolve);
  try {
    await over.promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}
