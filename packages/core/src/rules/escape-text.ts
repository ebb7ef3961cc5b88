/**
 * Invisible characters: controls, lone surrogates and line ends; directions, fillers and the like; blank characters that are not spaces; a
 * combining mark without a letter, which would change the character before the text. Joiners and selectors are not among them: letters of
 * many scripts and most emoji need them.
 */
const UNSEEN =
  /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u2800\uFFF9-\uFFFB\u{1D159}]|(?!\u200C|\u200D|\uFE0F)(?:\p{Default_Ignorable_Code_Point}|(?<=^|["\s])\p{Script=Inherited})/gu;

/**
 * Turns foreign text into one line in which each character can be seen. Invisible characters, and those that change how others look, are
 * escaped as in JSON. Joiners, selectors of emoji and spaces of any width stay.
 * The text may hold such an escape itself, and letters of other scripts may look the same.
 * @see https://www.unicode.org/reports/tr44/#Default_Ignorable_Code_Point
 */
export function escapeText(text: string): string {
  return text.replaceAll(UNSEEN, (unseen) => SHORT.get(unseen) ?? escapeUnits(unseen));
}

/** Escapes the same characters in compact JSON text. The value stays the same. */
export function escapeJson(json: string): string {
  // Compact JSON has such characters only in strings, where the long escape is always valid.
  return json.replaceAll(UNSEEN, escapeUnits);
}

const SHORT: ReadonlyMap<string, string> = new Map([
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
]);

function escapeUnits(character: string): string {
  return character.replaceAll(
    /[^]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
