import { encodeRows } from "../docs-page.ts";
import type { EmmettVerdicts } from "./judge-emmett.ts";

const HEAD = ["clause", "verdict", "tried again", "first case that fails", "what it says"];

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

function encodeCode(text: string): string {
  return `\`${text.replaceAll("`", "'").replaceAll("|", "\\|")}\``;
}
