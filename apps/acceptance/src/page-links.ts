const BLOCK = /^ *(```+|~~~+)[^]*?^ *\1/gm;
const COMMENT = /<!--[^]*?-->/g;
const CODE = /(`+)[^`][^]*?\1/g;
const LINK = /\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g;
const ATTRIBUTE = /<[^>]*?\s(?:href|src|srcset)="([^"\s]+)"/g;

/** A link to a file of the repository. */
export interface PageLink {
  /** The file as the page names it; empty for the page itself. */
  readonly path: string;
  /** The anchor in it; empty without one. */
  readonly fragment: string;
}

/** The page without its code blocks and comments. */
export function withoutBlocks(page: string): string {
  return page.replaceAll(BLOCK, "").replaceAll(COMMENT, "");
}

/** The links of a page to itself and to other files, without those in code. */
export function linksOf(page: string): readonly PageLink[] {
  // A link's text may be code, but no link is within code.
  const text = withoutBlocks(page).replaceAll(CODE, "code");
  return [...text.matchAll(LINK), ...text.matchAll(ATTRIBUTE)]
    .map(([, link = ""]) => link)
    .filter((link) => !/^[a-z]+:/.test(link))
    .map((link) => {
      const [path = "", fragment = ""] = link.split("#").map(decodeURIComponent);
      return { path, fragment };
    });
}
