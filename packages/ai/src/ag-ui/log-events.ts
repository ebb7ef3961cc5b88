import type { EventDraft, WorkOptions } from "@tm/run-events-core";
import { joinNeighbours } from "../produce/join-neighbours.ts";

/** An event of AG-UI that an agent makes. */
export interface AgentEvent {
  readonly type: string;
}

/** The error text of a run whose process died or shut down, or whose agent stopped without an end event. */
export const CUT_SHORT_TEXT = "The run was cut short.";

/** The types of events that have a piece of a text. */
const DELTAS: ReadonlySet<string> = new Set([
  "TEXT_MESSAGE_CONTENT",
  "TEXT_MESSAGE_CHUNK",
  "TOOL_CALL_ARGS",
  "TOOL_CALL_CHUNK",
  "REASONING_MESSAGE_CONTENT",
  "REASONING_MESSAGE_CHUNK",
]);

/** The types of events that have a meaning of their own for a run. AG-UI has none of them. */
const OF_RUNS = /^(RUN_(COMPLETED|FAILED|CANCELLED)|INPUT_\w+|PHASE_\w+|UI_PART)$/;

/** Whether events of this type have a piece of a text. */
export function isDelta(type: string): boolean {
  return DELTAS.has(type);
}

/** Whether the log takes an agent's event of this type. Others are left out. */
export function isRecordable(type: unknown): type is string {
  return typeof type === "string" && /^[A-Z][A-Z0-9_]{0,63}$/.test(type) && !OF_RUNS.test(type);
}

/** The events of an agent in one of the log: several if they were merged and belong to different texts. */
export function eventsOf({ eventType, payload }: EventDraft): readonly AgentEvent[] {
  return listOf(payload).map((members) => ({ ...members, type: eventType }));
}

type Members = Readonly<Record<string, unknown>>;

function listOf(payload: unknown): readonly Members[] {
  return (Array.isArray(payload) ? payload : [payload]) as readonly Members[];
}

/** The members that two pieces must have in common before their texts are joined. */
function frameOf({ delta: _delta, timestamp: _timestamp, ...frame }: Members): string {
  return JSON.stringify(frame);
}

function joinTwo(earlier: Members, later: Members): Members | null {
  const { delta } = earlier;
  if (typeof delta !== "string" || typeof later.delta !== "string") return null;
  return frameOf(earlier) === frameOf(later) ? { ...earlier, delta: delta + later.delta } : null;
}

/** Joins neighbouring pieces of one text. A page makes the same messages of them. */
export function joinDeltas(payloads: readonly unknown[]): unknown {
  const joined = joinNeighbours(payloads.flatMap(listOf), joinTwo);
  return joined.length === 1 ? joined[0] : joined;
}

/** Makes one event of several, so that a run has few. */
export const MERGE: NonNullable<WorkOptions["merge"]> = Object.fromEntries(
  [...DELTAS].map((type) => [type, joinDeltas]),
);
