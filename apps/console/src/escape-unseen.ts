/**
 * Invisible characters that change visible ones: they end a line, or change the direction of the text around them.
 * @see https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters
 */
export const UNSEEN: RegExp = /[\u0080-\u009F\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069\uFEFF]/g;

/** A character as JSON may write it. */
export function escapeOf(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** Escapes invisible characters in JSON text. The value stays the same. */
export function escapeUnseen(json: string): string {
  return json.replaceAll(UNSEEN, escapeOf);
}
