import type { AppendRequest, DueKind } from "../core-calls.ts";
import { appendRequest } from "../append-request.ts";
import { namedEvent } from "../history/named-event.ts";
import { BY_INPUT, under } from "../lease.ts";

/** The run whose worker asks and then keeps its lease, and the one that is always parked. No process answers before the crash. */
export const UNANSWERED_ID = "unanswered";
export const PARKED_ID = "parked";
/** The runs in which workers ask and persons answer. */
export const DIALOGUE_IDS: readonly string[] = ["a", "b", UNANSWERED_ID, PARKED_ID];

/** What a round appends: a question, in one batch with an event that leaves the run waiting, and then its answer. */
const ROUND = ["INPUT_REQUESTED", "TOKEN", "INPUT_RECEIVED"] as const;
const QUESTION_LENGTH = 2;

/** A question or an answer. */
export interface Turn {
  readonly by: "worker" | "person";
  /** Of its first event. */
  readonly firstSequence: number;
  readonly lastSequence: number;
}

/**
 * The turn that follows a sequence. Its events and its key follow from its place, so a process that goes on in place of a dead
 * one sends the same, and a question or an answer is never asked or given twice.
 */
export function turnAfter(sequence: number): Turn {
  const done = sequence - (sequence % ROUND.length);
  return sequence - done < QUESTION_LENGTH
    ? { by: "worker", firstSequence: done + 1, lastSequence: done + QUESTION_LENGTH }
    : { by: "person", firstSequence: sequence + 1, lastSequence: done + ROUND.length };
}

/** A turn as it is sent. @param fence that of the worker; a person needs none */
export function requestOf(runId: string, turn: Turn, fence: number): AppendRequest {
  const { by, firstSequence, lastSequence } = turn;
  const batch = sequences(firstSequence, lastSequence).map((sequence) =>
    namedEvent(ROUND[(sequence - 1) % ROUND.length] ?? "", idOf(runId, sequence)),
  );
  const appender = by === "person" ? BY_INPUT : under({ fence });
  return appendRequest(runId, batch, { ...appender, idempotencyKey: idOf(runId, firstSequence) });
}

/** The names of the first events of a run. */
export function idsUpTo(runId: string, lastSequence: number): readonly string[] {
  return sequences(1, lastSequence).map((sequence) => idOf(runId, sequence));
}

/** A run waits if its last question has no answer. */
export function statusAt(sequence: number): Extract<DueKind, "queued" | "running" | "waiting"> {
  if (sequence === 0) return "queued";
  return sequence % ROUND.length === 0 ? "running" : "waiting";
}

function idOf(runId: string, sequence: number): string {
  return `${runId}.${sequence}`;
}

function sequences(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
