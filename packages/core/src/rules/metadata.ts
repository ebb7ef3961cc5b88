import { RunEventsError } from "./errors.ts";
import { isDeeper, MAX_JSON_DEPTH } from "./json-depth.ts";
import { isLonger, JsonText, utf8Bytes } from "./json-text.ts";

/**
 * Writes a run's metadata as JSON text.
 * @throws RunEventsError `invalid_request`, `payload_too_large`
 * @see clause W8 in `WIRE.md`
 */
export function metadataText(metadata: unknown, maxBytes: number): string {
  let text: string;
  try {
    ({ text } = JsonText.of(metadata));
  } catch (error) {
    if (!(error instanceof RunEventsError)) throw error;
    throw new RunEventsError("invalid_request", `In \`metadata\`: ${error.message}`, {
      cause: error.cause,
    });
  }
  if (isLonger(text, maxBytes)) {
    throw new RunEventsError(
      "payload_too_large",
      `Expected \`metadata\` to take ${maxBytes} bytes of JSON at most, got ${utf8Bytes(text)}. Store it elsewhere, and pass a reference to it.`,
    );
  }
  if (isDeeper(text, MAX_JSON_DEPTH)) {
    throw new RunEventsError(
      "invalid_request",
      `Expected \`metadata\` to be nested ${MAX_JSON_DEPTH} deep at most, but it is deeper. Flatten it, or pass it as text.`,
    );
  }
  return text;
}
