import { endOfString } from "./json-text.ts";

/**
 * The deepest nesting of arrays and objects in a payload or in metadata: many JSON parsers and most writers recurse for each
 * level, and overflow their stack.
 * @see clause W9 in `WIRE.md` of `@tm/run-events-http`
 */
export const MAX_JSON_DEPTH = 1_000;

const QUOTE = 34;

/** Whether arrays and objects are nested deeper than `most`, in text that is known to be JSON. Linear, without recursion. */
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
