import { RunEventsError } from "../rules/errors.ts";

/** Makes the error of a body that is too long. @see clause W9 in `WIRE.md` of `@tm/run-events-http` */
export function tooLarge(maxBytes: number): RunEventsError {
  return new RunEventsError(
    "payload_too_large",
    `Expected a body, or a line of NDJSON, of ${maxBytes} bytes at most, got a longer one. Send less at a time.`,
  );
}

/** Bytes that arrive in pieces, copied into one place, so that many small pieces take no more than a few large ones. */
export class ByteBuffer {
  readonly #maxBytes: number;
  readonly #grow: (bytes: number) => void;
  #bytes = new Uint8Array(0);
  #length = 0;

  /** @param grow called with the buffer's new size before it is allocated; throws to refuse it */
  constructor(maxBytes: number, grow: (bytes: number) => void) {
    this.#maxBytes = maxBytes;
    this.#grow = grow;
  }

  /** The memory of the buffer, in bytes. */
  get size(): number {
    return this.#bytes.length;
  }

  /** @throws RunEventsError `payload_too_large` */
  add(piece: Uint8Array): void {
    const needed = this.#length + piece.length;
    if (needed > this.#maxBytes) throw tooLarge(this.#maxBytes);
    if (needed > this.size) {
      const size = Math.max(needed, Math.min(2 * this.size, this.#maxBytes));
      this.#grow(size);
      const larger = new Uint8Array(size);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes.set(piece, this.#length);
    this.#length = needed;
  }

  /** Removes and returns the bytes. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#bytes = new Uint8Array(0);
    this.#length = 0;
    return taken;
  }
}
