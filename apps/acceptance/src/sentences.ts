/** A sentence of a page. */
export interface Sentence {
  /** Without markup. A code span, of any length, is the word `code`. */
  readonly text: string;
  readonly words: number;
}

/** What is not prose: comments, the front matter, and blocks of code. */
const FRONT_MATTER = /^---\n[^]*?\n---\n/;
const COMMENT = /<!--[^]*?-->/g;
const FENCED = /^([ \t>]*)(`{3,}|~{3,})[^\n]*\n[^]*?^[ \t>]*\2[ \t]*$/gm;

/** Lines that end a paragraph and are not of one: a heading, a row of a table, a rule, a line of HTML. */
const NO_PROSE = /^\s*(?:#{1,6}\s|\||(?:[-*_]\s*){3,}$|<\/?[a-z][^>]*>)/;
/** The mark of a list's item. A paragraph ends before it. */
const ITEM = /^\s*(?:[-*+]|\d+[.)])\s+(?:\[[ x]\]\s+)?/;
const QUOTE = /^[ \t]*(?:>[ \t]?)+/;

/** Markup within a line, each with the text that a reader sees. */
const INLINE: readonly (readonly [RegExp, string])[] = [
  [/(`+)[^]*?(?<!`)\1(?!`)/g, "code"],
  [/!\[[^\]]*\]\([^)]*\)/g, ""],
  [/<https?:[^>\s]*>/g, "link"],
  [/<\/?[a-z][^>]*>/g, ""],
  [/\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])/g, "$1"],
  [/\*\*|__|(?<![\p{L}\p{N}])[*_](?=\S)|(?<=\S)[*_](?![\p{L}\p{N}])/gu, ""],
];

/** The mark that ends a sentence, with the quotes and brackets that it closes. */
const END = /[.!?…]["'”’)\]]*\s+/g;
/** A point after one of these ends no sentence. */
const ABBREVIATED = /(?<![\p{L}\p{N}])(?:e\.g|i\.e|vs|cf|approx|resp)\.$/iu;

/** "1,000", "don't", "side-by-side" and "p99.9" are one word each; "read/write" is two. */
const WORD = /[\p{L}\p{N}]+(?:[.,'’_-][\p{L}\p{N}]+)*/gu;

/** The prose of a page, a text for each paragraph and each item of a list. Headings, tables and code are not prose. */
function paragraphsOf(page: string): readonly string[] {
  const prose = page.replace(FRONT_MATTER, "").replaceAll(COMMENT, "").replaceAll(FENCED, "\n");
  const paragraphs: string[] = [];
  let lines: string[] = [];
  const end = (): void => {
    if (lines.length > 0) paragraphs.push(lines.join(" "));
    lines = [];
  };
  for (const quoted of prose.split("\n")) {
    const line = quoted.replace(QUOTE, "");
    if (line.trim() === "" || NO_PROSE.test(line)) {
      end();
      continue;
    }
    if (ITEM.test(line)) end();
    lines.push(line.replace(ITEM, "").trim());
  }
  end();
  return paragraphs;
}

function withoutMarkup(paragraph: string): string {
  return INLINE.reduce((text, [markup, shown]) => text.replaceAll(markup, shown), paragraph);
}

/** The number of words in a text. */
export function countWords(text: string): number {
  return text.match(WORD)?.length ?? 0;
}

/** The sentences of a text, in its order. A text without a mark at its end ends with a sentence too. */
export function splitSentences(text: string): readonly string[] {
  const sentences: string[] = [];
  let from = 0;
  for (const { index, 0: mark } of text.matchAll(END)) {
    if (ABBREVIATED.test(text.slice(0, index + 1))) continue;
    sentences.push(text.slice(from, index + mark.length).trim());
    from = index + mark.length;
  }
  sentences.push(text.slice(from).trim());
  return sentences.filter((sentence) => sentence !== "");
}

/**
 * The sentences of a Markdown page, in its order. A text of one or two words, such as the name of a file in a list, is not one: it
 * would make a mean look better.
 */
export function findSentences(page: string): readonly Sentence[] {
  return paragraphsOf(page)
    .flatMap((paragraph) => splitSentences(withoutMarkup(paragraph)))
    .map((text) => ({ text, words: countWords(text) }))
    .filter(({ words }) => words > 2);
}

/** The words of a sentence on average, or 0 without sentences. */
export function meanWords(sentences: readonly Sentence[]): number {
  const all = sentences.reduce((sum, { words }) => sum + words, 0);
  return sentences.length === 0 ? 0 : all / sentences.length;
}
