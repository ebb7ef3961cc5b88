import { untilAborted } from "./until-aborted.ts";

/**
 * Reads the values of a stream, up to its end. An abort ends the reading and cancels the stream.
 * @param make makes the stream
 * @param take takes a value. With `true` it has enough, and the stream is cancelled
 * @throws what the stream or `take` throws, and the reason of the signal
 */
export async function readUntilStopped<Value>(
  signal: AbortSignal,
  make: () => Promise<ReadableStream<Value>>,
  take: (value: Value) => Promise<boolean>,
): Promise<void> {
  const stream = await openUnlessStopped(signal, make);
  await takeUntilStopped(signal, stream.getReader(), take);
}

/** Does the same with the reader of a stream that is made. */
export async function takeUntilStopped<Value>(
  signal: AbortSignal,
  reader: ReadableStreamDefaultReader<Value>,
  take: (value: Value) => Promise<boolean>,
): Promise<void> {
  const stop = (): void => void reader.cancel(signal.reason).catch(() => {});
  signal.addEventListener("abort", stop, { once: true });
  try {
    for (;;) {
      signal.throwIfAborted();
      const { done, value } = await reader.read();
      // A stream that is cancelled just ends: a part must not pass for a whole.
      signal.throwIfAborted();
      if (done) return;
      if (await take(value)) break;
    }
    reader.cancel().catch(() => {});
  } catch (error) {
    reader.cancel(error).catch(() => {});
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** Waits for the stream, but not after an abort. A stream that comes later is cancelled. */
async function openUnlessStopped<Value>(
  signal: AbortSignal,
  make: () => Promise<ReadableStream<Value>>,
): Promise<ReadableStream<Value>> {
  signal.throwIfAborted();
  const made = make();
  try {
    return await untilAborted(made, signal);
  } catch (error) {
    made.then((late) => late.cancel(error)).catch(() => {});
    throw error;
  }
}
