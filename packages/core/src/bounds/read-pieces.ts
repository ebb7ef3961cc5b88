import { RunEventsError } from "../rules/errors.ts";
import { ByteBuffer } from "./byte-buffer.ts";

/** The time limit of a body that is read before the work begins, in milliseconds. */
const BODY_MS = 30_000;

/**
 * Reads a whole body from its pieces, as `BodyRequest.readBody` describes.
 * @param mostMs how long it may take, in milliseconds
 */
export async function readPieces(
  pieces: AsyncIterator<Uint8Array, unknown>,
  maxBytes: number,
  grow: (bytes: number) => void,
  mostMs: number = BODY_MS,
): Promise<Uint8Array> {
  const buffer = new ByteBuffer(maxBytes, grow);
  let cancel = (): void => {};
  const late = new Promise<never>((_, reject) => {
    cancel = startDeadline(reject, mostMs);
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

/** Starts the deadline of a body. @returns cancels the deadline */
export function startDeadline(
  expire: (error: RunEventsError) => void,
  mostMs: number = BODY_MS,
): () => void {
  const timer = setTimeout(() => {
    expire(
      new RunEventsError(
        "invalid_request",
        `Expected the whole body within ${mostMs} ms, but a part did not arrive. Send the request again.`,
      ),
    );
  }, mostMs);
  return () => clearTimeout(timer);
}
