import { type Figure, isMet, median } from "./report.ts";

const HEADER = ["figure", "median", "min – max", "unit", "bound", ""];

/** The figures as a Markdown table whose columns line up. */
export function formatFigures(figures: readonly Figure[]): string {
  const rows = figures.map(cellsOf);
  const widths = HEADER.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const rule = widths.map((width) => "-".repeat(width));
  return [HEADER, rule, ...rows].map(line).join("\n");
}

function cellsOf(figure: Figure): readonly string[] {
  const { name, unit, values, atMost, atLeast } = figure;
  const spread = `${formatValue(Math.min(...values))} – ${formatValue(Math.max(...values))}`;
  const cells = [name, formatValue(median(values)), spread, unit];
  const bound = atMost ?? atLeast;
  if (bound === undefined) return [...cells, "", ""];
  const kind = atMost === undefined ? "at least" : "at most";
  return [...cells, `${kind} ${formatValue(bound)}`, isMet(figure) ? "holds" : "FALLS SHORT"];
}

/** Three significant digits, or whole numbers from 1,000 on. */
function formatValue(value: number): string {
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString("en");
  return Number.isInteger(value) ? String(value) : value.toPrecision(3);
}
