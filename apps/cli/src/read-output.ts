import type { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import type { Clock } from "@tm/run-events-core/wire";

/** The longest wait in all for output after the command has ended, in milliseconds. */
export const DRAIN_MS = 1_000;
/** The most bytes to read after that. The system and this process buffer less of the command's output. */
export const DRAIN_BYTES = 1_048_576;

/**
 * Reads an output of a command to its end. Background processes of the command may hold it open for long, so after `exited` it is closed
 * once the reads have waited for `DRAIN_MS` in all, or `DRAIN_BYTES` have come. Only the time of pending reads counts, so a slow reader
 * loses none of the command's output.
 * @param exited resolves when the command has ended by itself
 */
export async function* readOutput(
  output: Readable,
  exited: Promise<void>,
  clock: Clock,
): AsyncGenerator<Buffer, void, undefined> {
  const chunks = (output as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  let hasExited = false;
  let onExit = (): void => {};
  void exited.then(() => {
    hasExited = true;
    onExit();
  });
  let leftMs = DRAIN_MS;
  let leftBytes = DRAIN_BYTES;
  while (leftMs > 0 && leftBytes > 0) {
    const next = chunks.next();
    if (!hasExited) {
      const ended = Promise.withResolvers<void>();
      onExit = ended.resolve;
      await Promise.race([next, ended.promise]);
    }
    const fromMs = clock.now();
    const result = hasExited ? await within(next, leftMs, clock) : await next;
    if (result === null) {
      // The read rejects, because the output is closed below.
      next.catch(() => {});
      break;
    }
    if (result.done === true) return;
    if (hasExited) {
      leftMs -= clock.now() - fromMs;
      leftBytes -= result.value.length;
    }
    yield result.value;
  }
  output.destroy();
}

/** The result if it comes within this time, else `null`. Output that has already arrived wins even if this process is late. */
async function within<T>(work: Promise<T>, ms: number, clock: Clock): Promise<T | null> {
  const late = Promise.withResolvers<null>();
  const stop = clock.every(ms, () => void setImmediate().then(() => late.resolve(null)));
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    stop();
  }
}
