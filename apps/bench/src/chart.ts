import { type Figure, median } from "./report.ts";

const WIDTH = 760;
const NAME_WIDTH = 330;
const VALUE_WIDTH = 90;
const BAR_WIDTH = WIDTH - NAME_WIDTH - VALUE_WIDTH;
const ROW_HEIGHT = 22;
const TITLE_HEIGHT = 30;

/** Legible on light and on dark pages. */
const STYLE = `text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600 }
.bar { fill: #8c959f }
.ours { fill: #0969da }
.spread { stroke: #1f2328; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .spread { stroke: #e6edf3 }
}`;

/**
 * Draws figures as bars of their medians with a line from the least to the greatest value. Figures of one unit share a
 * scale that begins at 0.
 * @returns a whole SVG document
 */
export function drawChart(title: string, figures: readonly Figure[]): string {
  const groups = Map.groupBy(
    figures.filter(({ values }) => values.length > 0 && values.every(Number.isFinite)),
    ({ unit }) => unit,
  );
  const parts: string[] = [];
  let y = 0;
  for (const [unit, group] of groups) {
    const heading = unit === "" ? title : `${title}, ${unit}`;
    parts.push(`<text class="title" x="4" y="${y + 20}">${escapeXml(heading)}</text>`);
    y += TITLE_HEIGHT;
    const greatest = Math.max(...group.flatMap(({ values }) => values), Number.MIN_VALUE);
    for (const figure of group) {
      parts.push(drawBar(figure, y, greatest));
      y += ROW_HEIGHT;
    }
  }
  const height = y + 8;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img">
<title>${escapeXml(title)}</title>
<style>${STYLE}</style>
${parts.join("\n")}
</svg>
`;
}

function drawBar({ name, values }: Figure, y: number, greatest: number): string {
  const at = (value: number): string =>
    (NAME_WIDTH + (Math.max(0, value) / greatest) * BAR_WIDTH).toFixed(1);
  const middle = median(values);
  const end = at(middle);
  const line = y + ROW_HEIGHT / 2;
  return [
    `<text x="4" y="${y + 15}">${escapeXml(name)}</text>`,
    `<rect class="${/\bours\b/.test(name) ? "ours" : "bar"}" x="${NAME_WIDTH}" y="${y + 4}" width="${(Number(end) - NAME_WIDTH).toFixed(1)}" height="14"/>`,
    `<line class="spread" x1="${at(Math.min(...values))}" x2="${at(Math.max(...values))}" y1="${line}" y2="${line}"/>`,
    `<text x="${WIDTH - VALUE_WIDTH + 8}" y="${y + 15}">${formatMiddle(middle)}</text>`,
  ].join("\n");
}

function formatMiddle(value: number): string {
  return value >= 1_000
    ? Math.round(value).toLocaleString("en")
    : String(Number(value.toPrecision(3)));
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
