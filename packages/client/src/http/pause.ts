/** Longer than any request, in milliseconds: 11 days. */
export const FOR_EVER_MS = 1_000_000_000;

/**
 * Waits for a time, or until the wait is ended.
 * @param onSeen gets the function that ends the wait
 * @throws the signal's reason
 */
export async function pause(
  ms: number,
  signal?: AbortSignal,
  onSeen?: (end: () => void) => void,
): Promise<void> {
  signal?.throwIfAborted();
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = resolve as () => void;
  const timer = setTimeout(end, ms);
  signal?.addEventListener("abort", end);
  onSeen?.(end);
  await promise;
  clearTimeout(timer);
  signal?.removeEventListener("abort", end);
  signal?.throwIfAborted();
}
