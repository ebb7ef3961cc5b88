import { JsonText, RunEventsError } from "@tm/run-events-core";

/**
 * Parses an answer that is JSON. Its tokens stay as they are, so a long number keeps its digits.
 * @param types the types that the answer may have; empty for any
 * @throws RunEventsError `invalid_request` for text that is not JSON, or for JSON of another type
 */
export function parseAnswer(text: string, types: readonly string[]): JsonText {
  const expected = types.length === 0 ? 'JSON, such as {"a": 1}, 2 or "text"' : types.join(" or ");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refused(`Expected ${expected}, got text that is not JSON. Nothing was sent.`);
  }
  const type = typeOf(value);
  const isInteger = types.includes("integer") && Number.isInteger(value);
  if (types.length > 0 && !types.includes(type) && !isInteger)
    throw refused(`Expected ${expected}, got ${type}. Nothing was sent.`);
  return JsonText.parse(text);
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

function refused(message: string): RunEventsError {
  return new RunEventsError("invalid_request", message, { retryable: false });
}
