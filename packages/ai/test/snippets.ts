import { readFileSync } from "node:fs";

const BLOCK = /<!-- snippet: (?<name>\S+) -->\n\n```jsx?\n(?<code>.*?)^```$/gms;

/** A page of the package. */
export function readPage(name: string): string {
  return readFileSync(new URL(`../${name}`, import.meta.url), "utf8");
}

/** The programs of a page, by the names of their files. */
export function readSnippets(name: string): readonly (readonly [name: string, code: string])[] {
  return [...readPage(name).matchAll(BLOCK)].map(
    ({ groups: { name: file = "", code = "" } = {} }) => [file, code] as const,
  );
}
