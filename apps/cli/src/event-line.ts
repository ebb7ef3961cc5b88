import type { RunEvent } from "@tm/run-events-core";

/** An event for the eye: its sequence, its time, its type, and of its payload the line of output if it has one. */
export function encodeEventLine({ sequence, createdAt, eventType, payload }: RunEvent): string {
  return [sequence, createdAt, eventType, ...encodePayload(payload)].join(" ");
}

function encodePayload(payload: unknown): readonly string[] {
  if (payload === null) return [];
  const isLine =
    typeof payload === "object" && "line" in payload && typeof payload.line === "string";
  return [isLine ? String(payload.line) : JSON.stringify(payload)];
}
