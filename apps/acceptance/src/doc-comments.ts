import { CLAUSE_PAGES } from "./clause-table.ts";

/** A doc comment of a source. */
export interface DocComment {
  /** The line that it begins on, from 1. */
  readonly line: number;
  /** The comment without stars. */
  readonly text: string;
}

/** A comment's own text: no stars, no blanks around it. */
export function commentText(comment: string): string {
  return comment
    .replace(/^\/\*\*/, "")
    .replace(/\*\/$/, "")
    .replaceAll(/^[ \t]*\* ?/gm, "")
    .trim();
}

/** The doc comments of a source, in its order. */
export function docCommentsOf(source: string): readonly DocComment[] {
  return [...source.matchAll(/^[ \t]*(\/\*\*[^]*?\*\/)/gm)].map(({ index, 1: comment = "" }) => ({
    line: source.slice(0, index).split("\n").length,
    text: commentText(comment),
  }));
}

/** A page of clauses. */
type ClausePage = (typeof CLAUSE_PAGES)[keyof typeof CLAUSE_PAGES];

/**
 * What a comment has to name for the codes of clauses in it, but does not: their pages, and the packages of these.
 * @param isOfAnother whether the package of the page has to be named
 */
export function unnamedPagesOf(
  text: string,
  isOfAnother: (page: ClausePage) => boolean,
): readonly string[] {
  const prose = text.replace(/@example[^]*/, "").replaceAll(/\s+/g, " ");
  return Object.entries(CLAUSE_PAGES).flatMap(([letter, page]) => {
    const name = `\`${page.name}\`${isOfAnother(page) ? ` of \`${page.package}\`` : ""}`;
    const hasCode = new RegExp(`\\b${letter}\\d{1,2}\\b`).test(prose);
    return hasCode && !prose.includes(name) ? [name] : [];
  });
}

/** What comes before the first tag, on one line. */
function proseOf(text: string): string {
  return (/^(?:(?!(?:^|\s)@[a-z])[^])*/.exec(text)?.[0] ?? "").replaceAll(/\s+/g, " ").trim();
}

/** Whether the first sentence is one by itself: it has an end before the first tag, and begins with no reference to another comment. */
export function hasFirstSentence(text: string): boolean {
  return /^(?!As |See |The same\b)\p{Lu}.*?\.(?= |$)/u.test(proseOf(text));
}
