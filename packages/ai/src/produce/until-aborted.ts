/**
 * Awaits a value, but no longer than the signal lets it.
 * @throws the signal's reason
 */
export async function untilAborted<Value>(
  value: Promise<Value>,
  signal: AbortSignal | undefined,
): Promise<Value> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal?.reason);
  signal?.addEventListener("abort", abort);
  if (signal?.aborted === true) abort();
  try {
    return await Promise.race([aborted, value]);
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}
