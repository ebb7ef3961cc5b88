import { describeValue } from "./describe-value.ts";
import { RunEventsError } from "./errors.ts";
import type { EventDraft, NewEvent, RunStatus, StatusChange, TerminalStatus } from "./event.ts";
import { isDeeper, MAX_JSON_DEPTH } from "./json-depth.ts";
import { isLonger, utf8Bytes } from "./json-text.ts";
import { SealedJson } from "./sealed-json.ts";

/** The type of an event that asks a person. @see clause W38 in `WIRE.md` of `@tm/run-events-http` */
export const INPUT_REQUESTED = "INPUT_REQUESTED";
/** The type of a person's answer. @see clauses W38 and W39 in `WIRE.md` of `@tm/run-events-http` */
export const INPUT_RECEIVED = "INPUT_RECEIVED";

const EVENT_TYPE = /^[A-Z][A-Z0-9_]{0,63}$/;

const TERMINAL_EVENTS: ReadonlyMap<string, TerminalStatus> = new Map([
  ["RUN_COMPLETED", "completed"],
  ["RUN_FAILED", "failed"],
  ["RUN_CANCELLED", "cancelled"],
]);

/** Whether a run in this status has finished, or finishes with this change. @see clause W7 in `WIRE.md` of `@tm/run-events-http` */
export function isTerminal(status: RunStatus | StatusChange): status is TerminalStatus {
  return status === "completed" || status === "failed" || status === "cancelled";
}

/**
 * A run's status and phase: a fold over its events. The phase is JSON text, or `null` before the first.
 * @see clause W6 in `WIRE.md` of `@tm/run-events-http`
 */
export interface RunState {
  readonly runStatus: RunStatus;
  readonly phase: string | null;
}

/** The state of a run without events. */
export const INITIAL_STATE: RunState = { runStatus: "queued", phase: null };

/** The effect of an event of this type on the status. @see clauses W6 and W38 in `WIRE.md` of `@tm/run-events-http` */
export function changeBy(eventType: string): StatusChange {
  if (eventType === INPUT_REQUESTED) return "waiting";
  if (eventType === INPUT_RECEIVED) return "answered";
  return TERMINAL_EVENTS.get(eventType) ?? "started";
}

/**
 * The effect of a batch on the status. An input is alone in its batch, and only the last event can be terminal.
 * @see clauses W6 and W38 in `WIRE.md` of `@tm/run-events-http`
 */
export function changeOf(batch: readonly { readonly eventType: string }[]): StatusChange {
  const last = changeBy(batch.at(-1)?.eventType ?? "");
  if (last !== "started") return last;
  return batch.some(({ eventType }) => eventType === INPUT_REQUESTED) ? "waiting" : "started";
}

/** The status of a live run after a change. @see clauses W6 and W38 in `WIRE.md` of `@tm/run-events-http` */
export function statusAfter(before: RunStatus, change: StatusChange): RunStatus {
  if (change === "started") return before === "queued" ? "running" : before;
  if (change === "answered") return before === "waiting" ? "running" : before;
  return change;
}

/** The phase that an event starts, as JSON text; `null` if it starts none. @see clause W6 in `WIRE.md` of `@tm/run-events-http` */
export function phaseStartedBy(eventType: string, payload: string): string | null {
  if (eventType !== "PHASE_STARTED") return null;
  const value: unknown = JSON.parse(payload);
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, "phase")) return null;
  const { phase } = value as { readonly phase: unknown };
  return typeof phase === "string" ? JSON.stringify(phase) : null;
}

/** One step of the fold. @see clause W6 in `WIRE.md` of `@tm/run-events-http` */
export function foldEvent(
  state: RunState,
  event: { readonly eventType: string; readonly payload: string },
): RunState {
  return {
    runStatus: statusAfter(state.runStatus, changeBy(event.eventType)),
    phase: phaseStartedBy(event.eventType, event.payload) ?? state.phase,
  };
}

/** The bounds of one append. */
export interface AppendLimits {
  readonly maxPayloadBytes: number;
  readonly maxBatchEvents: number;
}

/**
 * Checks a batch, and makes the events of it.
 * @throws TypeError unless the drafts are an array
 * @throws RunEventsError `invalid_request` for no or too many events; `invalid_event` for a bad type or payload, for an
 * `INPUT_RECEIVED`, or for an event after a terminal one; `payload_too_large`. `details.index` names the event.
 * @see clauses W6, W7, W9 and W39 in `WIRE.md` of `@tm/run-events-http`
 */
export function planEvents(
  drafts: readonly EventDraft[],
  limits: AppendLimits,
): readonly NewEvent[] {
  checkDrafts(drafts);
  if (drafts.length === 0 || drafts.length > limits.maxBatchEvents) {
    throw new RunEventsError(
      "invalid_request",
      `Expected 1 to ${limits.maxBatchEvents} events in an append, got ${drafts.length}. ${drafts.length === 0 ? "Append at least one" : "Split them over several appends"}.`,
    );
  }
  const events = drafts.map((draft, index) => planEvent(draft, index, limits));
  const afterEnd = events.findIndex((event) => isTerminal(changeBy(event.eventType))) + 1;
  if (afterEnd > 0 && afterEnd < events.length) {
    throw new RunEventsError(
      "invalid_event",
      `Expected no event after the one that ends the run, got event ${afterEnd}. Append it before the end, or leave it out.`,
      { details: { index: afterEnd } },
    );
  }
  return events;
}

/**
 * Checks an input, and makes the batch of it.
 * @throws RunEventsError `invalid_event` for a bad payload, `payload_too_large`
 * @see clause W39 in `WIRE.md` of `@tm/run-events-http`
 */
export function planInput(
  payload: unknown,
  limits: Pick<AppendLimits, "maxPayloadBytes">,
): readonly NewEvent[] {
  const draft: SealedDraft = { eventType: INPUT_RECEIVED, payload: textOf(payload, 0) };
  checkDraft(draft, limits);
  const { text } = draft.payload;
  return [{ eventType: INPUT_RECEIVED, payload: text, phase: null }];
}

/**
 * Checks the second parameter of `append`.
 * @throws TypeError unless it is an array
 */
export function checkDrafts(drafts: unknown): void {
  if (Array.isArray(drafts)) return;
  throw new TypeError(
    `Expected the events to be an array of { eventType, payload }, got ${describeValue(drafts)}. Put one event in [].`,
  );
}

function planEvent(draft: EventDraft, index: number, limits: AppendLimits): NewEvent {
  const sealed = sealDraft(draft, index);
  checkDraft(sealed, limits, index);
  const { eventType } = sealed;
  const payload = sealed.payload.text;
  return { eventType, payload, phase: phaseStartedBy(eventType, payload) };
}

/**
 * Checks an event that is sent later, so that a bad one fails now.
 * @param index of the event in its batch
 * @throws RunEventsError `payload_too_large`; `invalid_event` for a payload that is nested too deep
 */
export function checkDraft(
  draft: SealedDraft,
  { maxPayloadBytes }: Pick<AppendLimits, "maxPayloadBytes">,
  index = 0,
): void {
  const { text } = draft.payload;
  if (isLonger(text, maxPayloadBytes)) {
    throw new RunEventsError(
      "payload_too_large",
      `Expected the payload of event ${index} to take ${maxPayloadBytes} bytes of JSON at most, got ${utf8Bytes(text)}. Append a reference to it.`,
      { details: { index } },
    );
  }
  checkDepth(draft, index);
}

/**
 * Checks an event where only the server knows how large a payload may be.
 * @throws RunEventsError `invalid_event` for a payload that is nested too deep
 */
export function checkDepth({ payload: { text } }: SealedDraft, index = 0): void {
  if (isDeeper(text, MAX_JSON_DEPTH)) {
    throw invalidEvent(
      `Expected the payload of event ${index} to be nested ${MAX_JSON_DEPTH} deep at most, got one that is deeper. Flatten it, or pass it as text.`,
      index,
    );
  }
}

/** @throws RunEventsError `invalid_event` unless it is an object with an event type */
function checkShape(draft: unknown, index: number): EventDraft {
  if (typeof draft !== "object" || draft === null) {
    throw invalidEvent(
      `Expected event ${index} to be { eventType, payload }, got ${describeValue(draft)}.`,
      index,
    );
  }
  const { eventType } = draft as { readonly eventType?: unknown };
  if (typeof eventType !== "string" || !EVENT_TYPE.test(eventType)) {
    throw invalidEvent(
      `Expected \`eventType\` of event ${index} to match ${EVENT_TYPE.source}, got ${describeValue(eventType)}. Use capitals, as in TOOL_CALL.`,
      index,
    );
  }
  if (eventType === INPUT_RECEIVED) {
    throw invalidEvent(
      `Expected no INPUT_RECEIVED among the events to append, got event ${index}. Only the run's owner gives an input: call \`input\`, or POST to the run's \`/input\`.`,
      index,
    );
  }
  return draft as EventDraft;
}

function invalidEvent(message: string, index: number): RunEventsError {
  return new RunEventsError("invalid_event", message, { details: { index } });
}

/** An event to append whose payload can no longer change. */
export interface SealedDraft extends EventDraft {
  readonly payload: SealedJson;
}

/**
 * Takes an event's payload as JSON text now, since the event is sent later.
 * @param index of the event in its batch
 * @throws RunEventsError `invalid_event`
 */
export function sealDraft(draft: EventDraft, index = 0): SealedDraft {
  const { eventType, payload } = checkShape(draft, index);
  return { eventType, payload: textOf(payload, index) };
}

function textOf(payload: unknown, index: number): SealedJson {
  try {
    return SealedJson.of(payload);
  } catch (error) {
    if (!(error instanceof RunEventsError)) throw error;
    throw new RunEventsError(error.code, error.message, { cause: error.cause, details: { index } });
  }
}
