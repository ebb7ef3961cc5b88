import { readFileSync, writeFileSync } from "node:fs";
import { STREAM_ERRORS, type StreamErrorCode } from "@tm/run-events-core/wire";
import { ALL_CODES, ERROR_CODES, type ErrorCode } from "../../src/exchange/error-codes.ts";

const PAGE = new URL("../../../../docs/errors.md", import.meta.url);
const START = "<!-- errors: start, written by `pnpm run errors` -->\n";
const END = "<!-- errors: end -->";

/** The headings, each with the code that comes first below it. */
const SECTIONS: Partial<Readonly<Record<ErrorCode, string>>> = {
  unauthenticated: "Credentials and access",
  invalid_request: "Malformed requests",
  cursor_ahead: "The state of the run",
  claimed: "Leases",
  too_many_requests: "Load and failures",
  overloaded: "Codes of a stream",
};

const OF_STREAMS = `A live stream answers 200 where it can, since an \`EventSource\` gives up on anything else, and reports a failure by an \`error\` frame with one of
these codes. After a retryable one a reader comes back by itself, with its cursor.`;

/** Where the bounds are that a code is about. */
const BOUNDS: Partial<Readonly<Record<ErrorCode, string>>> = {
  payload_too_large: "limits.md#one-append",
  too_many_requests: "limits.md#what-one-user-may-have-in-flight",
  overloaded: "limits.md#live-streams",
};

/** What is between the markers of `docs/errors.md`. */
export function readErrors(): string {
  return split().block;
}

/** Puts a text between the markers of `docs/errors.md`. */
export function writeErrors(text: string): void {
  const { before, after } = split();
  writeFileSync(PAGE, before + text + after);
}

/** Every code in Markdown, as the page has it. */
export function encodeErrors(): string {
  return `\n${ALL_CODES.map(encodeCode).join("")}`;
}

function encodeCode(code: ErrorCode): string {
  const { title, cause, cure, example } = ERROR_CODES[code];
  const heading = SECTIONS[code];
  const section = heading === undefined ? "" : `## ${heading}\n\n`;
  const table = code === "overloaded" ? `${OF_STREAMS}\n\n${encodeFrames()}\n\n` : "";
  const bounds = BOUNDS[code];
  const link = bounds === undefined ? "" : ` [All bounds](${bounds}).`;
  const text = `**${title}.** ${encodeStatus(code)}${cause} ${cure}${link} Example: ${example}`;
  return `${section}${table}### ${code}\n\n${text}\n\n`;
}

function encodeStatus(code: ErrorCode): string {
  const { statuses, members = [] } = ERROR_CODES[code];
  if (statuses.length === 0) return "";
  const names = members.map((name) => `\`${name}\``).join(" and ");
  return `Status ${statuses.join(", ")}${names === "" ? "" : `, with ${names}`}. `;
}

/** The codes of `error` frames as a table, laid out as the formatter does. */
function encodeFrames(): string {
  const codes = Object.keys(STREAM_ERRORS) as readonly StreamErrorCode[];
  const rows = codes.map((code) => {
    const { title, stream = `${title}.` } = ERROR_CODES[code];
    return [`[\`${code}\`](#${code})`, STREAM_ERRORS[code].retryable ? "yes" : "no", stream];
  });
  const head = ["code", "retryable", "what it means there"];
  const widths = head.map((_, at) =>
    Math.max(...[head, ...rows].map((row) => row[at]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(" | ")} |`;
  return [head, widths.map((width) => "-".repeat(width)), ...rows].map(line).join("\n");
}

/** @throws TypeError if the page has lost its markers */
function split(): { readonly before: string; readonly block: string; readonly after: string } {
  const page = readFileSync(PAGE, "utf8");
  const start = page.indexOf(START) + START.length;
  const end = page.indexOf(END);
  if (start < START.length || end < start)
    throw new TypeError("Expected docs/errors.md to have its two markers.");
  return { before: page.slice(0, start), block: page.slice(start, end), after: page.slice(end) };
}
