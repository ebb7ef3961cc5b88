/** Scripts in which a joiner changes the shape of the letter before it. */
const JOINING = "Arab Syrc Mong Nkoo Deva Beng Guru Gujr Orya Taml Telu Knda Mlym Sinh Khmr Mymr";

/** Made when this module is loaded. The pure mark keeps it out of a bundle in which nothing escapes text. */
const UNSEEN: RegExp = /* @__PURE__ */ createUnseen();

/**
 * Matches all invisible characters. Those to escape are in the only group; those that belong to a visible character are matched without it.
 */
function createUnseen(): RegExp {
  const letter = `[${JOINING.replaceAll(/\w+ ?/g, (script) => `\\p{scx=${script.trim()}}`)}]`;
  const visible = [
    // A joiner or a selector within one emoji. After a digit, a selector belongs only to a keycap.
    /(?<=\p{Extended_Pictographic}[\uFE0F\p{Emoji_Modifier}]?)\u200D(?=\p{Extended_Pictographic})/u,
    /(?<=\p{Emoji})(?<![#*\d])\uFE0F|(?<=[#*\d])\uFE0F(?=\u20E3)/u,
    // The letters of a region's flag.
    /(?<=\u{1F3F4})[\u{E0030}-\u{E007A}]+\u{E007F}/u,
  ].map(({ source }) => source);
  const unseen = [
    // Controls, lone surrogates, line ends; directions, joiners, fillers and the like; and blank characters that are not spaces.
    /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800\uFFF9-\uFFFB\u{1D159}]/u,
    // A combining mark without a letter, which would change the character before the text.
    /(?<=^|["\s])\p{Script=Inherited}/u,
  ].map(({ source }) => source);
  const joiner = `(?<=${letter})(?<!\\p{Default_Ignorable_Code_Point})[\\u200C\\u200D]`;
  return new RegExp(`${[...visible, joiner].join("|")}|(${unseen.join("|")})`, "gu");
}

/**
 * Turns foreign text into one line in which each character can be seen. Invisible characters, and those that change how others look, are
 * escaped as in JSON. A joiner or a selector stays where it belongs to an emoji or shapes a letter. Spaces of any width stay.
 * The text may hold such an escape itself, and letters of other scripts may look the same.
 * @see https://www.unicode.org/reports/tr44/#Default_Ignorable_Code_Point
 */
export function escapeText(text: string): string {
  return text.replaceAll(UNSEEN, (seen, unseen?: string) =>
    unseen === undefined ? seen : (SHORT.get(unseen) ?? escapeUnits(unseen)),
  );
}

/** Escapes the same characters in compact JSON text. The value stays the same. */
export function escapeJson(json: string): string {
  // Compact JSON has such characters only in strings, where the long escape is always valid.
  return json.replaceAll(UNSEEN, (seen, unseen?: string) =>
    unseen === undefined ? seen : escapeUnits(unseen),
  );
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
