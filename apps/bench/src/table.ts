import { type Figure, isMet, median, type Report } from "./report.ts";

/** Three significant digits, or whole numbers from 1,000 on. */
function formatValue(value: number): string {
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString("en");
  return Number.isInteger(value) ? String(value) : value.toPrecision(3);
}

function spread({ values }: Figure): string {
  return `${formatValue(Math.min(...values))} – ${formatValue(Math.max(...values))}`;
}

/** Rows of cells as a Markdown table whose columns line up. */
function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [line(header), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join(
    "\n",
  );
}

/** A report as Markdown: its targets, its figures, its notes. */
export function formatReport({ figures, targets, notes }: Report): string {
  const judged = targets.map((target) => [
    target.name,
    `${formatValue(median(target.values))} ${target.unit}`.trimEnd(),
    spread(target),
    `${target.kind} ${formatValue(target.bound)}`,
    isMet(target) ? "holds" : "FALLS SHORT",
  ]);
  const measured = figures.map((figure) => [
    figure.name,
    formatValue(median(figure.values)),
    spread(figure),
    figure.unit,
  ]);
  return [
    ...(judged.length === 0
      ? []
      : [formatTable(["target", "median", "min – max", "bound", ""], judged)]),
    ...(measured.length === 0
      ? []
      : [formatTable(["figure", "median", "min – max", "unit"], measured)]),
    ...(notes.length === 0 ? [] : [notes.map((note) => `- ${note}`).join("\n")]),
  ].join("\n\n");
}
