import { RunEventsError } from "@tm/run-events-core";
import { createByteBuffer } from "./byte-buffer.ts";

/** How long a body that is read whole may take, in milliseconds. */
const BODY_MS = 30_000;

/** Reads a body whole from its pieces, as `Exchange.readBody` says. */
export async function readPieces(
  pieces: AsyncIterator<Uint8Array, unknown>,
  maxBytes: number,
  grow: (bytes: number) => void,
): Promise<Uint8Array> {
  const buffer = createByteBuffer(maxBytes, grow);
  let cancel = (): void => {};
  const late = new Promise<never>((_, reject) => {
    cancel = startDeadline(reject);
  });
  try {
    for (;;) {
      const next = await Promise.race([pieces.next(), late]);
      if (next.done === true) break;
      buffer.add(next.value);
    }
  } finally {
    cancel();
    letGo(pieces);
  }
  return buffer.take();
}

/** Leaves the rest of a body to the transport. Not awaited: it would wait for a piece that may never come. */
export function letGo(iterator: AsyncIterator<Uint8Array, unknown>): void {
  void iterator.return?.();
}

/** Gives a body its time. @returns calls the deadline off */
export function startDeadline(expire: (error: RunEventsError) => void): () => void {
  const timer = setTimeout(() => {
    expire(new RunEventsError("invalid_request", `The body did not arrive within ${BODY_MS} ms.`));
  }, BODY_MS);
  return () => clearTimeout(timer);
}
