import { escapeText } from "@tm/run-events-core/wire";

/**
 * The labels of answers, of which no two look the same. If two of them would, or one would look empty, all are JSON in ASCII.
 * @param texts differ
 */
export function labelsOf(texts: readonly string[]): readonly string[] {
  const labels = texts.map(escapeText);
  const looks = new Set(labels.map(looksOf));
  if (looks.size === texts.length && !looks.has("")) return labels;
  // A page shows one space of many.
  return texts.map((text) => JSON.stringify(text).replaceAll(/[^ -~]|(?<= ) /g, escapeOf));
}

/** What a reader sees of a text: no joiner or selector, one space for each blank, and one form of characters that have several. */
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
