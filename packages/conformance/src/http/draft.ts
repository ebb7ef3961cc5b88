import { compact } from "./json-text.ts";
import type { AppendedEvent } from "./judge-delivery.ts";

/** An event to append: a type alone, or with a payload's JSON text. */
export type Draft = string | { readonly eventType: string; readonly payload: string };

/** An event that sets a phase. */
export function phase(name: string): Draft {
  return { eventType: "PHASE_STARTED", payload: `{"phase":${JSON.stringify(name)}}` };
}

/** This many events, each with another payload. */
export function notes(count: number, from = 0): readonly Draft[] {
  return Array.from({ length: count }, (_, at) => ({
    eventType: "NOTE",
    payload: `{"at":${from + at}}`,
  }));
}

/** The event as JSON text. */
export function encodeDraft(draft: Draft): string {
  if (typeof draft === "string") return `{"eventType":${JSON.stringify(draft)}}`;
  return `{"eventType":${JSON.stringify(draft.eventType)},"payload":${draft.payload}}`;
}

/** The event as the oracle knows it. */
export function appendedOf(draft: Draft): AppendedEvent {
  if (typeof draft === "string") return { eventType: draft, payload: "null" };
  return { eventType: draft.eventType, payload: compact(draft.payload) };
}
