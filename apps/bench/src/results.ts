import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { drawChart } from "./chart.ts";
import { formatMachine, type Machine } from "./machine.ts";
import type { Figure, Report, Scale } from "./report.ts";
import { formatReport } from "./table.ts";

/** A section as it was measured, with all that the figures depend on. */
export interface Result {
  readonly section: string;
  readonly question: string;
  readonly machine: Machine;
  readonly scale: Scale;
  readonly report: Report;
}

/** Writes a section's figures as JSON and as a chart, in place of what the folder has of that section. */
export async function writeResult(folder: string, result: Result): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${result.section}.json`), `${JSON.stringify(result, null, 2)}\n`);
}

/** Draws what a folder holds of results: a chart a section, and one page with every table. */
export async function writePages(folder: string): Promise<void> {
  const pages = formatPages(await readResults(folder));
  for (const [name, text] of pages) await writeFile(join(folder, name), text);
}

/** The results in a folder, by the names of their sections. */
export async function readResults(folder: string): Promise<readonly Result[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".json")).toSorted();
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), "utf8")));
  return texts.map((text) => JSON.parse(text) as Result);
}

/** What follows from results: the files' texts by their names. */
export function formatPages(results: readonly Result[]): ReadonlyMap<string, string> {
  const pages = new Map<string, string>();
  for (const { section, report } of results) {
    const bars = barsOf(report);
    pages.set(`${section}.svg`, drawChart(section, bars));
  }
  const sections = [...results.map(formatResult), formatVersions(results)];
  pages.set("README.md", `# Results\n\n${sections.join("\n\n")}\n`);
  return pages;
}

function barsOf({ targets, figures }: Report): readonly Figure[] {
  return [...targets, ...figures];
}

function formatResult({ section, question, machine, report }: Result): string {
  return [
    `## ${section}`,
    question,
    `${formatMachine(machine)} · ${formatRounds(report)}`,
    formatReport(report),
    `![The figures of ${section} as bars](${section}.svg)`,
  ].join("\n\n");
}

/** How many values a figure has; one alone is a size, which does not change. */
function formatRounds(report: Report): string {
  const counts = barsOf(report).map(({ values }) => values.length);
  const several = counts.filter((count) => count > 1);
  if (several.length === 0) return "one value a figure";
  const [least, most] = [Math.min(...several), Math.max(...several)];
  return least < most ? `${least} to ${most} rounds` : `${most} rounds`;
}

function formatVersions(results: readonly Result[]): string {
  const measured = results.flatMap(({ machine }) => Object.entries(machine.versions));
  const versions = new Set(measured.map(([name, version]) => `${name} ${version}`));
  return `## Versions\n\n${[...versions].toSorted().join(", ")}`;
}
