import { endOfString } from "./json-text.ts";

/**
 * How many arrays and objects of a payload or of metadata may stand in one another: many parsers and most writers of JSON call
 * themselves for each, and end where their stack does.
 * @see W9
 */
export const MAX_JSON_DEPTH = 1_000;

const QUOTE = 34;

/** Whether more arrays and objects than `most` stand in one another, in text that is known to be JSON. Linear, and calls nothing again. */
export function isDeeper(text: string, most: number): boolean {
  // Each takes two characters.
  if (text.length <= 2 * most) return false;
  let depth = 0;
  for (let at = 0; at < text.length;) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(text, at);
      continue;
    }
    // [ and { open, ] and } close.
    if (code === 91 || code === 123) depth += 1;
    else if (code === 93 || code === 125) depth -= 1;
    if (depth > most) return true;
    at += 1;
  }
  return false;
}
