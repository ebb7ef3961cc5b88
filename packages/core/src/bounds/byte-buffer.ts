import { RunEventsError } from "../rules/errors.ts";

/** Makes the error of a body that is too long. @see clause W9 in `WIRE.md` of `@tm/run-events-http` */
export function tooLarge(maxBytes: number): RunEventsError {
  return new RunEventsError(
    "payload_too_large",
    `Expected a body, or a line of NDJSON, of ${maxBytes} bytes at most, got a longer one. Send less at a time.`,
  );
}

/** Bytes that arrive in pieces, copied into one place, so that many small pieces take no more than a few large ones. */
export interface ByteBuffer {
  /**
   * Copies a piece to the end.
   * @throws RunEventsError `payload_too_large`
   */
  add(piece: Uint8Array): void;
  /** Removes and returns the bytes. */
  take(): Uint8Array;
  /** The memory of the buffer, in bytes. */
  size(): number;
}

/**
 * Makes a buffer that grows as it is filled.
 * @param grow called with the buffer's new size before it is allocated; throws to refuse it
 */
export function createByteBuffer(maxBytes: number, grow: (bytes: number) => void): ByteBuffer {
  let bytes = new Uint8Array(0);
  let length = 0;
  return {
    add(piece) {
      const needed = length + piece.length;
      if (needed > maxBytes) throw tooLarge(maxBytes);
      if (needed > bytes.length) {
        const size = Math.max(needed, Math.min(2 * bytes.length, maxBytes));
        grow(size);
        const larger = new Uint8Array(size);
        larger.set(bytes.subarray(0, length));
        bytes = larger;
      }
      bytes.set(piece, length);
      length = needed;
    },
    take() {
      const taken = bytes.subarray(0, length);
      bytes = new Uint8Array(0);
      length = 0;
      return taken;
    },
    size: () => bytes.length,
  };
}
