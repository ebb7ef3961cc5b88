import { describeValue } from "../rules/describe-value.ts";
import { RunEventsError } from "../rules/errors.ts";
import { tooLarge } from "./byte-buffer.ts";
import type { Holding } from "./in-flight.ts";

const utf8 = new TextDecoder("utf-8", {
  fatal: true,
  // A byte order mark is not JSON, so it is kept for the parser to refuse.
  ignoreBOM: true,
});

/** A request whose body is to be read. */
export interface BodyRequest {
  /** A header by its lower-case name. */
  readonly header: (name: string) => string | null;
  /**
   * The whole body, which may be empty. Rejects if the client breaks off before the end.
   * @param grow called with the body's memory before it is allocated; throws to refuse it
   * @throws RunEventsError `payload_too_large`, `invalid_request` if it takes too long
   */
  readBody(maxBytes: number, grow: (bytes: number) => void): Promise<Uint8Array>;
}

/** The media type of the body, without parameters; `null` without a `Content-Type`. */
export function mediaType({ header }: Pick<BodyRequest, "header">): string | null {
  const type = header("content-type");
  // As it mostly is.
  if (type === "application/json") return type;
  return type?.split(";", 1)[0]?.trim().toLowerCase() ?? null;
}

/** The bounds of a body. */
export interface BodyBounds {
  readonly maxBytes: number;
  /** Counts the memory of the body, before the first byte is read by its `Content-Length`. @see clause W49 in `WIRE.md` of `@tm/run-events-http` */
  readonly holding: Pick<Holding, "holdBody">;
}

/**
 * Reads all bytes of a JSON body, none if the request has no body.
 * @throws RunEventsError `invalid_request` if the body has another content type, or takes too long; `payload_too_large`,
 * `too_many_requests`
 */
export async function readJsonBytes(
  exchange: BodyRequest,
  { maxBytes, holding }: BodyBounds,
): Promise<Uint8Array> {
  refuseEncoded(exchange);
  const stated = Number(exchange.header("content-length") ?? 0);
  if (stated > maxBytes) throw tooLarge(maxBytes);
  holding.holdBody(stated);
  const bytes = await exchange.readBody(maxBytes, (taken) => {
    if (taken > stated) holding.holdBody(taken);
  });
  const type = mediaType(exchange);
  if (bytes.length > 0 && type !== "application/json") {
    throw new RunEventsError(
      "invalid_request",
      `Expected a body with \`Content-Type: application/json\`, got ${type === null ? "one without a content type" : describeValue(type)}. Set that header.`,
    );
  }
  return bytes;
}

/**
 * Decodes the bytes of a body. Its value is not kept: it may take 20 times the memory of its text.
 * @returns its text, which is known to be JSON; `null` for a request without a body
 * @throws RunEventsError `invalid_request` if the bytes are not JSON in UTF-8
 */
export function decodeJson(bytes: Uint8Array): string | null {
  if (bytes.length === 0) return null;
  const text = decodeUtf8(bytes);
  try {
    JSON.parse(text);
    return text;
  } catch (cause) {
    throw new RunEventsError(
      "invalid_request",
      "Expected the body to be JSON, got other text. Encode it with a JSON library.",
      { cause },
    );
  }
}

/**
 * Refuses a body with a content coding, such as gzip.
 * @throws RunEventsError `invalid_request`
 */
export function refuseEncoded({ header }: Pick<BodyRequest, "header">): void {
  const coding = header("content-encoding");
  if (coding !== null && coding.toLowerCase() !== "identity") {
    throw new RunEventsError(
      "invalid_request",
      `Expected a body without a content coding, got \`Content-Encoding\` ${describeValue(coding)}. Send the body uncompressed.`,
    );
  }
}

/**
 * Decodes UTF-8.
 * @throws RunEventsError `invalid_request` if the bytes are something else
 */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new RunEventsError(
      "invalid_request",
      "Expected the body in UTF-8, got other bytes. Encode it as UTF-8.",
      { cause },
    );
  }
}
