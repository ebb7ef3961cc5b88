import { describeValue } from "./describe-value.ts";
import { RunEventsError } from "./errors.ts";

/** Control characters, and lone surrogates, which no store can keep as text. */
const REFUSED = /[\p{Cc}\p{Cs}]/u;

/**
 * Whether a value is a text of 1 to `most` characters without control characters and lone surrogates. A character is a code point.
 * @param most 1 or more
 */
export function isShortText(value: unknown, most: number): value is string {
  if (typeof value !== "string" || value === "" || REFUSED.test(value)) return false;
  // A code point has two UTF-16 units at most. So a far longer text need not be counted.
  return value.length <= most || (value.length <= 2 * most && Array.from(value).length <= most);
}

/**
 * Passes on a short text that a program gave; `null` for none. A refusal never shows the text: it may be private, and long.
 * @param name how the refusal calls the text
 * @throws RunEventsError `invalid_request` unless it is `null`, missing, or a short text
 */
export function checkShortText(name: string, value: unknown, most: number): string | null {
  if (value === undefined || value === null) return null;
  if (isShortText(value, most)) return value;
  throw new RunEventsError(
    "invalid_request",
    `Expected \`${name}\` to be a text of 1 to ${most} characters without control characters and lone surrogates, got ${describeText(value)}. Change it, or leave it out.`,
  );
}

function describeText(value: unknown): string {
  if (typeof value !== "string") return describeValue(value);
  if (value === "") return "an empty text";
  const refused = REFUSED.exec(value)?.[0].codePointAt(0);
  if (refused === undefined) return "a longer text";
  return `a text with U+${refused.toString(16).toUpperCase().padStart(4, "0")}`;
}
