import { readFileSync, writeFileSync } from "node:fs";
import type { EmmettVerdicts } from "./judge-emmett.ts";

const PAGE = new URL("../../README.md", import.meta.url);
const START = "<!-- emmett: start -->\n";
const END = "<!-- emmett: end -->";
const HEAD = ["clause", "verdict", "tried again", "first case that fails", "what it says"];

/** What the page says between its markers. */
export function readTable(): string {
  return split().table;
}

/** Puts what the kit says between the page's markers. */
export function writeTable(verdicts: EmmettVerdicts): void {
  const { before, after } = split();
  writeFileSync(PAGE, before + encodeTable(verdicts) + after);
}

/** The verdicts as Markdown, laid out as the formatter does. */
export function encodeTable({ asItIs, triedAgain, byChance }: EmmettVerdicts): string {
  const rows = asItIs.map(({ clause, verdict, failure }) => [
    `**${clause}**`,
    verdict,
    triedAgain.find((again) => again.clause === clause)?.verdict ?? "",
    failure === null ? "" : failure.name.slice(clause.length + 1).replaceAll("|", "\\|"),
    failure === null ? "" : encodeCode(failure.why),
  ]);
  const chance = byChance.map((name) => `- ${name}`).join("\n");
  return `\n${encodeRows([HEAD, ...rows])}\n
Kept or broken by chance, from one run to the next, and so left out of the verdict:\n\n${chance}\n\n`;
}

function encodeRows([head = [], ...rows]: readonly (readonly string[])[]): string {
  const widths = head.map((_, at) =>
    Math.max(...[head, ...rows].map((row) => row[at]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(" | ")} |`;
  return [head, widths.map((width) => "-".repeat(width)), ...rows].map(line).join("\n");
}

function encodeCode(text: string): string {
  return `\`${text.replaceAll("`", "'").replaceAll("|", "\\|")}\``;
}

/** @throws TypeError if the page has lost its markers */
function split(): { readonly before: string; readonly table: string; readonly after: string } {
  const page = readFileSync(PAGE, "utf8");
  const start = page.indexOf(START) + START.length;
  const end = page.indexOf(END);
  if (start < START.length || end < start) throw new TypeError("Expected markers in the README.");
  return { before: page.slice(0, start), table: page.slice(start, end), after: page.slice(end) };
}
