import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

const README = readFileSync(new URL("../README.md", import.meta.url), "utf8");

/** The named code blocks of the README, as files in this folder, where imports resolve as they do for a user. */
export interface SnippetFolder extends AsyncDisposable {
  load(name: string): Promise<Readonly<Record<string, unknown>>>;
}

/** The code blocks after `<!-- snippet: NAME -->`, by name. */
export function readSnippets(): ReadonlyMap<string, string> {
  const blocks = README.matchAll(/<!-- snippet: (\S+) -->\n+```\w+\n(.*?)^```$/gms);
  return new Map([...blocks].map(([, name = "", code = ""]) => [name, code]));
}

/** The number of JavaScript blocks in the README, with and without a name. */
export function countBlocks(): number {
  return [...README.matchAll(/^```(js|ts|mjs)$/gm)].length;
}

/** Writes all snippets into one folder, so that they can import each other. */
export async function openSnippets(): Promise<SnippetFolder> {
  const folder = await mkdtemp(join(import.meta.dirname, ".snippets-"));
  for (const [name, code] of readSnippets()) await writeFile(join(folder, name), code);
  return {
    load: (name) =>
      import(/* @vite-ignore */ join(folder, name)) as Promise<Record<string, unknown>>,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
