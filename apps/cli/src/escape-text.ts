/**
 * Characters that a terminal obeys instead of showing them: controls (C0, DEL, C1), what ends a line, and what turns the
 * direction of the text around it.
 * @see https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters
 */
const OBEYED = /[\p{Cc}\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069\uFEFF]/gu;

/** Foreign text as one line that a terminal only shows: characters that it would obey are escaped as in JSON. */
export function escapeText(text: string): string {
  return text.replaceAll(OBEYED, escapeOf);
}

/** Compact JSON text of the same value, all of whose characters a terminal only shows. */
export function escapeJson(json: string): string {
  // Compact JSON has none of them outside strings, and inside strings the long escape is always valid.
  return json.replaceAll(OBEYED, longEscapeOf);
}

const SHORT: ReadonlyMap<string, string> = new Map([
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
]);

function escapeOf(character: string): string {
  return SHORT.get(character) ?? longEscapeOf(character);
}

function longEscapeOf(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
