import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const PAGES = ["README.md", "AUTHORS.md"]
  .map((name) => readFileSync(new URL(`../${name}`, import.meta.url), "utf8"))
  .join("\n");

/** The code blocks of both pages after `<!-- snippet: NAME -->`, by name. */
export function readSnippets(): ReadonlyMap<string, string> {
  const blocks = PAGES.matchAll(/<!-- snippet: (\S+) -->\n+```\w+\n(.*?)^```$/gms);
  return new Map([...blocks].map(([, name = "", code = ""]) => [name, code]));
}

/** The number of blocks of code that the pages have besides the one that installs, named or not. */
export function countBlocks(): number {
  return [...PAGES.matchAll(/^```\w+$/gm)].length - 1;
}

/**
 * One snippet's text.
 * @throws TypeError if no snippet has that name
 */
export function readSnippet(name: string): string {
  const code = readSnippets().get(name);
  if (code === undefined) throw new TypeError(`Expected a snippet ${name} in the pages.`);
  return code;
}

/** The snippets as files next to this one, where imports resolve as they do for a user. */
export function writeSnippets(): { pathOf(name: string): string; remove(): void } {
  const folder = mkdtempSync(join(import.meta.dirname, ".snippets-"));
  for (const [name, code] of readSnippets()) writeFileSync(join(folder, name), code);
  return {
    pathOf: (name) => join(folder, name),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
