import { STREAM_ERRORS } from "@tm/run-events-core/wire";
import { ALL_CODES, ERROR_CODES, type ErrorCode } from "../exchange/error-codes.ts";
import { ERRORS_PATH } from "../exchange/problem.ts";

/** Explains one code as plain text. */
export function explainCode(code: ErrorCode): string {
  const { title, cause, cure, example } = ERROR_CODES[code];
  const rows = [
    ["Code", code],
    ["Status", statusText(code)],
    ["Cause", cause],
    ["Cure", cure],
    ["Example", example],
    ...streamRows(code),
  ] as const;
  const fields = rows.map(([name, text]) => `${`${name}:`.padEnd(10)}${text}`);
  return `${title}\n\n${fields.join("\n")}\n\nAll codes: ${ERRORS_PATH}\n`;
}

/** Lists all codes as plain text, a line each. */
export function listCodes(): string {
  const width = Math.max(...ALL_CODES.map(({ length }) => length)) + 2;
  const lines = ALL_CODES.map((code) => {
    const { title, statuses } = ERROR_CODES[code];
    return `${code.padEnd(width)}${String(statuses[0] ?? "").padEnd(5)}${title}`;
  });
  const intro = `Error codes. ${ERRORS_PATH}/CODE explains one. A code without a status ends a live stream.`;
  return `${intro}\n\n${lines.join("\n")}\n`;
}

function statusText(code: ErrorCode): string {
  const { statuses, members = [] } = ERROR_CODES[code];
  if (statuses.length === 0) return "none: it comes in an `error` frame of a live stream";
  const has =
    members.length === 0 ? "" : `, with ${members.map((name) => `\`${name}\``).join(" and ")}`;
  return `${statuses.join(", ")}${has}`;
}

/** The action of a live stream's reader after an `error` frame with the code; none for a code that no frame has. */
function streamRows(code: ErrorCode): readonly (readonly [name: string, text: string])[] {
  const rule = Object.entries(STREAM_ERRORS).find(([name]) => name === code)?.[1];
  if (rule === undefined) return [];
  const { stream, statuses } = ERROR_CODES[code];
  const also = statuses.length === 0 ? "" : "An `error` frame may have this code too. ";
  const meaning = stream === undefined ? "" : `${stream} `;
  const then = rule.retryable
    ? "A reader comes back by itself."
    : "A reader does not come back by itself.";
  return [["Stream", `${also}${meaning}${then}`]];
}
