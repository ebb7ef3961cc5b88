import type { NewEvent, RunRecord, StoredEvent } from "@tm/run-events-core/store";
import { event } from "../append-request.ts";

/** An event whose payload names it, so that it can be found again in a page or a log. */
export function namedEvent(eventType: string, id: string): NewEvent {
  const name = JSON.stringify(id);
  return event(eventType, eventType === "PHASE_STARTED" ? `{"phase":${name}}` : name);
}

/**
 * The name of an event that `namedEvent` made.
 * @throws Error for any other payload: the store has changed it, or it is another client's
 */
export function idOf({ payload }: Pick<StoredEvent, "payload">): string {
  const value: unknown = JSON.parse(payload);
  if (typeof value === "string") return value;
  if (typeof value === "object" && value !== null && "phase" in value) return String(value.phase);
  throw new Error(`Expected a payload that names its event, got ${payload}.`);
}

/** The name of the event that started the phase of a run. */
export function phaseIdOf({ phase }: Pick<RunRecord, "phase">): string | null {
  return phase === null ? null : String(JSON.parse(phase));
}
