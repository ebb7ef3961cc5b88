import { RunEventsError } from "@tm/run-events-core";
import type { Exchange } from "./exchange.ts";
import type { Holding } from "./in-flight.ts";

/** How long a body that is read whole may take, in milliseconds. */
const BODY_MS = 30_000;

const utf8 = new TextDecoder("utf-8", {
  fatal: true,
  // A byte order mark is no JSON, so it is kept for the parser to refuse.
  ignoreBOM: true,
});

/** The media type of the body, without parameters; `null` if none is said. */
export function mediaType({ header }: Pick<Exchange, "header">): string | null {
  return header("content-type")?.split(";", 1)[0]?.trim().toLowerCase() ?? null;
}

/** The error of a body that is too long. @see W9 */
export function tooLarge(maxBytes: number): RunEventsError {
  return new RunEventsError(
    "payload_too_large",
    `Expected a body, or a line of NDJSON, of ${maxBytes} bytes at most, got a longer one. Send less at a time.`,
  );
}

/** What holds a body. */
export interface BodyBounds {
  readonly maxBytes: number;
  /** Counts the memory of the body: its stated length before the first byte is read. @see W49 */
  readonly holding: Pick<Holding, "holdBody">;
}

/**
 * Reads the bytes of a JSON body whole; none if there is no body.
 * @throws RunEventsError `invalid_request` if it is said to be something else, or takes too long, `payload_too_large`,
 * `too_many_requests`
 */
export async function readJsonBytes(
  exchange: Pick<Exchange, "header" | "readBody">,
  { maxBytes, holding }: BodyBounds,
): Promise<Uint8Array> {
  refuseEncoded(exchange);
  const stated = Number(exchange.header("content-length") ?? 0);
  if (stated > maxBytes) throw tooLarge(maxBytes);
  holding.holdBody(stated);
  const bytes = await exchange.readBody(maxBytes, (taken) => {
    if (taken > stated) holding.holdBody(taken);
  });
  if (bytes.length > 0 && mediaType(exchange) !== "application/json") {
    throw new RunEventsError(
      "invalid_request",
      "The body's content type must be application/json.",
    );
  }
  return bytes;
}

/** A body of JSON: its text, which is known to be JSON, and its value. `null` for a request without one. */
export type JsonBody = { readonly text: string; readonly value: unknown } | null;

/** Parses the bytes of a body. @throws RunEventsError `invalid_request` if they are not JSON in UTF-8 */
export function parseJson(bytes: Uint8Array): JsonBody {
  if (bytes.length === 0) return null;
  const text = decodeUtf8(bytes);
  try {
    return { text, value: JSON.parse(text) as unknown };
  } catch (cause) {
    throw new RunEventsError("invalid_request", "The body is not JSON.", { cause });
  }
}

/** A content coding is refused rather than stored as if it were JSON. */
export function refuseEncoded({ header }: Pick<Exchange, "header">): void {
  const coding = header("content-encoding");
  if (coding !== null && coding.toLowerCase() !== "identity") {
    throw new RunEventsError("invalid_request", "The body must not be compressed.");
  }
}

/** @throws RunEventsError `invalid_request` if the bytes are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new RunEventsError("invalid_request", "The body is not UTF-8.", { cause });
  }
}

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

/** Bytes that arrive in pieces, copied into one place, so that many small pieces take no more than a few large ones. */
export interface ByteBuffer {
  /** @throws RunEventsError `payload_too_large` */
  add(piece: Uint8Array): void;
  /** What has been added since the last time. */
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

/** Gives a body its time. @returns calls the deadline off */
export function startDeadline(expire: (error: RunEventsError) => void): () => void {
  const timer = setTimeout(() => {
    expire(new RunEventsError("invalid_request", `The body did not arrive within ${BODY_MS} ms.`));
  }, BODY_MS);
  return () => clearTimeout(timer);
}
