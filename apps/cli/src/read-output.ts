import type { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import type { Clock } from "@tm/run-events-core/wire";

/** How long to wait for output once the command has ended, in milliseconds, in all. */
export const DRAIN_MS = 1_000;
/** How much to read then, in bytes: more than the system and this process buffer of the command's output. */
export const DRAIN_BYTES = 1_048_576;

/**
 * Reads an output of a command to its end. Background processes of the command may hold it open for long. So after `exited` it is
 * read until it has been waited for `DRAIN_MS` in all, or `DRAIN_BYTES` have come, and then closed. Only time in which a read is
 * pending counts: while the reader is slow, the command's output stays to be read.
 * @param exited resolves when the command has ended by itself
 */
export async function* readOutput(
  output: Readable,
  exited: Promise<void>,
  clock: Clock,
): AsyncGenerator<Buffer, void, undefined> {
  const chunks = (output as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  let hasExited = false;
  let wake = (): void => {};
  void exited.then(() => {
    hasExited = true;
    wake();
  });
  let leftMs = DRAIN_MS;
  let leftBytes = DRAIN_BYTES;
  while (leftMs > 0 && leftBytes > 0) {
    const next = chunks.next();
    if (!hasExited) {
      const woken = Promise.withResolvers<void>();
      wake = woken.resolve;
      await Promise.race([next, woken.promise]);
    }
    const fromMs = clock.now();
    const result = hasExited ? await within(next, leftMs, clock) : await next;
    if (result === null) {
      // It rejects since the output is closed here.
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

/** What comes within this time, else `null`. Output that has arrived wins, however late this process looks. */
async function within<T>(work: Promise<T>, ms: number, clock: Clock): Promise<T | null> {
  const late = Promise.withResolvers<null>();
  const stop = clock.every(ms, () => void setImmediate().then(() => late.resolve(null)));
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    stop();
  }
}
