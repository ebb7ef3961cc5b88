import { JsonText, type RunEvent } from "@tm/run-events-core";
import { escapeJson, escapeText } from "./escape-text.ts";

/**
 * An event for the eye, on one line: its sequence, its time, its type, and of its payload the line of output if it has one.
 * Whatever it holds, a terminal only shows it.
 */
export function encodeEventLine({ sequence, createdAt, eventType, payload }: RunEvent): string {
  const head = [sequence, createdAt, eventType].map((part) => escapeText(`${part}`));
  return [...head, ...encodePayload(payload)].join(" ");
}

/**
 * An event for a program, on one line: the JSON text as the server has it. On a terminal the characters that it would obey are
 * escapes, and the value is the same.
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
