import { dirname, join } from "node:path";
import { CLAUSE_PAGES } from "./clause-table.ts";
import { withoutBlocks } from "./page-links.ts";

const SPAN = /(`+)[^`][^]*?\1/g;
const LINK = /\[[^\]]*\]\([^)]*\)/g;
const DEFINITION = /\*\*[SW]\d+\*\*/g;
const CODE = /\b(?:W|S)\d+\b/g;
const LINKED_CODE = /\[([SW]\d+)\]\(([^)\s]+)\)/g;

/** The page that a clause is on. */
export function pageOf(clause: string): (typeof CLAUSE_PAGES)["W" | "S"] {
  return CLAUSE_PAGES[clause.startsWith("W") ? "W" : "S"];
}

/** The codes of clauses in the prose of a page: not those in code, in links, or at the clause itself. */
export function bareCodesOf(page: string): readonly string[] {
  const prose = withoutBlocks(page)
    .replaceAll(SPAN, "")
    .replaceAll(LINK, "")
    .replaceAll(DEFINITION, "");
  return [...prose.matchAll(CODE)].map(([code]) => code);
}

/**
 * The links of a page whose text is a code, but that lead elsewhere than to its clause.
 * @param path of the page, from the root
 */
export function misledCodesOf(page: string, path: string): readonly string[] {
  return [...withoutBlocks(page).matchAll(LINKED_CODE)]
    .filter(([, , link = ""]) => !/^[a-z]+:/.test(link))
    .filter(([, code = "", link = ""]) => {
      const [file = "", fragment] = link.split("#");
      const target = file === "" ? path : join(dirname(path), file);
      return target !== pageOf(code).path || fragment !== code.toLowerCase();
    })
    .map(([link]) => link);
}
