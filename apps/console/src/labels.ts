import { escapeText } from "@tm/run-events-core/wire";

/**
 * Makes labels for answers, no two of which look the same. If two would look the same, or one would look empty, all of them are JSON in
 * ASCII.
 * @param texts the answers, all different
 */
export function labelsOf(texts: readonly string[]): readonly string[] {
  const labels = texts.map(escapeText);
  const looks = new Set(labels.map(looksOf));
  if (looks.size === texts.length && !looks.has("")) return labels;
  // A page shows several spaces as one, so all but the first are escaped.
  return texts.map((text) => JSON.stringify(text).replaceAll(/[^ -~]|(?<= ) /g, escapeOf));
}

/**
 * The text as a reader sees it: no joiners or selectors, one space for any white space, and one form of each character that has several.
 */
function looksOf(text: string): string {
  return text
    .replaceAll(/\p{Default_Ignorable_Code_Point}/gu, "")
    .normalize("NFKC")
    .replaceAll(/\s+/g, " ")
    .trim();
}

function escapeOf(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
