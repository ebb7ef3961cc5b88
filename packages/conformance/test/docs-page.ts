import { readFileSync, writeFileSync } from "node:fs";

/** The text of `docs/NAME.md` of the kit. */
export function readPage(name: string): string {
  return readFileSync(urlOf(name), "utf8");
}

/** The text between the markers of the page of this name. */
export function readBlock(name: string): string {
  return split(name).block;
}

/** Puts a text between the markers of the page of this name. */
export function writeBlock(name: string, text: string): void {
  const { before, after } = split(name);
  writeFileSync(urlOf(name), before + text + after);
}

/** A table in Markdown, laid out as the formatter does. */
export function encodeRows([head = [], ...rows]: readonly (readonly string[])[]): string {
  const widths = head.map((_, at) =>
    Math.max(...[head, ...rows].map((row) => row[at]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(" | ")} |`;
  return [head, widths.map((width) => "-".repeat(width)), ...rows].map(line).join("\n");
}

function urlOf(name: string): URL {
  return new URL(`../docs/${name}.md`, import.meta.url);
}

/** @throws TypeError if the page has lost its markers */
function split(name: string): {
  readonly before: string;
  readonly block: string;
  readonly after: string;
} {
  const page = readPage(name);
  const marker = `<!-- ${name}: start -->\n`;
  const start = page.indexOf(marker) + marker.length;
  const end = page.indexOf(`<!-- ${name}: end -->`);
  if (start < marker.length || end < start) {
    throw new TypeError(`Expected the markers of ${name} in its page.`);
  }
  return { before: page.slice(0, start), block: page.slice(start, end), after: page.slice(end) };
}
