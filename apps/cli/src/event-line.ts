import { JsonText, type RunEvent } from "@tm/run-events-core";
import { escapeJson, escapeText } from "@tm/run-events-core/wire";

/**
 * Encodes an event for a reader, on one line: sequence, time, type and payload. Of a payload with a string `line` it shows that line.
 * Characters that a terminal would obey are escaped.
 */
export function encodeEventLine({ sequence, createdAt, eventType, payload }: RunEvent): string {
  const head = [sequence, createdAt, eventType].map((part) => escapeText(`${part}`));
  return [...head, ...encodePayload(payload)].join(" ");
}

/**
 * Encodes an event for a program, on one line: the JSON text that the server sent. Characters that a terminal would obey are escaped on
 * a terminal. The value stays the same.
 */
export function encodeEventJson(text: string, isTerminal: boolean): string {
  const compact = JsonText.parse(text).text;
  return isTerminal ? escapeJson(compact) : compact;
}

function encodePayload(payload: unknown): readonly string[] {
  if (payload === null || payload === undefined) return [];
  const isLine =
    typeof payload === "object" && "line" in payload && typeof payload.line === "string";
  return [isLine ? escapeLine(String(payload.line)) : escapeJson(JSON.stringify(payload))];
}

/** A tab does no harm in a line of output, and tables have them. */
function escapeLine(line: string): string {
  return line.split("\t").map(escapeText).join("\t");
}
