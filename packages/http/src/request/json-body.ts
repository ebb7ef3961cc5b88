import { RunEventsError } from "@tm/run-events-core";
import type { Exchange } from "../exchange/exchange.ts";
import type { Holding } from "../bounds/in-flight.ts";
import { tooLarge } from "./byte-buffer.ts";

const utf8 = new TextDecoder("utf-8", {
  fatal: true,
  // A byte order mark is no JSON, so it is kept for the parser to refuse.
  ignoreBOM: true,
});

/** The media type of the body, without parameters; `null` if none is said. */
export function mediaType({ header }: Pick<Exchange, "header">): string | null {
  return header("content-type")?.split(";", 1)[0]?.trim().toLowerCase() ?? null;
}

/** The bounds of a body. */
export interface BodyBounds {
  readonly maxBytes: number;
  /** Counts the memory of the body: its stated length before the first byte is read. @see W49 */
  readonly holding: Pick<Holding, "holdBody">;
}

/**
 * Reads the bytes of a JSON body whole; no bytes if there is no body.
 * @throws RunEventsError `invalid_request` if it is declared as something else, or takes too long, `payload_too_large`,
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
