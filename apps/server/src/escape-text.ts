/**
 * Characters that a terminal obeys and does not show: controls (C0, DEL, C1), line ends, and characters that change the direction of
 * the text around them.
 * @see https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters
 */
const OBEYED = /[\p{Cc}\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069\uFEFF]/gu;

/** Makes one line of foreign text. Characters that a terminal would obey are escaped as in JSON. */
export function escapeText(text: string): string {
  return text.replaceAll(OBEYED, escapeOf);
}

/** Escapes characters that a terminal would obey in compact JSON text. The value stays the same. */
export function escapeJson(json: string): string {
  // Compact JSON has such characters only in strings, where the long escape is always valid.
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
