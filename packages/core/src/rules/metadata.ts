import { RunEventsError } from "./errors.ts";
import { isDeeper, MAX_JSON_DEPTH } from "./json-depth.ts";
import { isLonger, JsonText } from "./json-text.ts";

/** A run's metadata as JSON text. @throws RunEventsError `invalid_request`, `payload_too_large`. @see W8 */
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
    throw new RunEventsError("payload_too_large", `Metadata takes at most ${maxBytes} bytes.`);
  }
  if (isDeeper(text, MAX_JSON_DEPTH)) {
    throw new RunEventsError(
      "invalid_request",
      `Expected \`metadata\` to be nested ${MAX_JSON_DEPTH} deep at most, got what is deeper. Flatten it, or pass it as text.`,
    );
  }
  return text;
}
