import { assert, assertEqual, show } from "../assert.ts";
import type { Frame } from "./read-frames.ts";

const TERMINAL: readonly unknown[] = ["completed", "failed", "cancelled"];
const LIVE: readonly unknown[] = ["queued", "running", "waiting"];
const SOFT: readonly unknown[] = [
  "store_unavailable",
  "overloaded",
  "slow_consumer",
  "draining",
  "max_age",
];
const HARD: readonly unknown[] = [
  "cursor_ahead",
  "history_changed",
  "unauthenticated",
  "not_found",
  "internal",
];

const STATE = ["runStatus", "currentPhase", "lastSequence"];
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  connected: ["runId", "since", ...STATE],
  run_event: ["event"],
  status: STATE,
  run_finished: STATE,
  error: ["code", "message", "retryable"],
};

/** The least and the most milliseconds of a `retry:`; `null` for none. */
export type Retry = readonly [least: number, most: number] | null;
/** The `retry:` of what is the last for good, an hour, and of what a reader may try again. */
export const FOR_GOOD: Retry = [3_600_000, 3_600_000];
export const SOON: Retry = [500, 15_000];
/** The `retry:` of a stream's first frame. */
export const FIRST: Retry = [2_000, 5_000];

/** The frames about a run so far, as far as the next one depends on them. */
export interface RunSoFar {
  /** The last sequence that the reader has; `null` before the first frame. */
  readonly sequence: number | null;
  readonly isOver: boolean;
}

/** Nothing yet. */
export const NO_FRAMES: RunSoFar = { sequence: null, isOver: false };

/**
 * Judges a frame of a stream of one run by its own fields and by what came before it.
 * @returns the stream with it
 * @throws Error that names the clause
 * @see clauses W22 and W23 in `WIRE.md`
 */
export function checkFrame(soFar: RunSoFar, frame: Frame): RunSoFar {
  const { type, since, retryable } = frame.message;
  const next = checkMessage(soFar, frame.message);
  const ids = {
    connected: since,
    run_event: next.sequence,
    run_finished: Number(next.sequence) + 1,
  };
  const id = Object.hasOwn(ids, String(type)) ? ids[type as keyof typeof ids] : null;
  assertEqual(frame.id, id === null ? null : show(id), `W22: the id of ${show(frame.data)}`);
  if (type === "connected") assertRetry("W22", frame, FIRST);
  else if (!next.isOver) assertRetry("W22", frame, null);
  else assertRetry("W22", frame, retryable === true ? SOON : FOR_GOOD);
  return next;
}

/** Judges what a frame says of a run, on a stream of one run or of many. */
export function checkMessage(soFar: RunSoFar, message: Frame["message"]): RunSoFar {
  const { type, runStatus, lastSequence } = message;
  const what = `the frame ${show(message)}`;
  assert(!soFar.isOver, `W22: nothing comes after the last frame, got ${what}`);
  const isFirst = soFar.sequence === null;
  const isInPlace = type === "error" || (type === "connected") === isFirst;
  assert(isInPlace, `W22: connected comes first and once, got ${what}`);
  assertFields("W22", message, FIELDS, type === "error" ? ["lastSequence"] : []);
  if (type === "error") {
    checkFailure(message, what);
    return { ...soFar, isOver: true };
  }
  const before = soFar.sequence ?? 0;
  if (type === "run_event") return { sequence: checkEvent(message, before), isOver: false };
  const sequence = isFirst ? message["since"] : before;
  assert(
    isSequence(sequence) && isSequence(lastSequence) && sequence <= lastSequence,
    `W22: lastSequence is not before what the reader has, which is ${String(sequence)}, got ${what}`,
  );
  const isOver = type === "run_finished";
  const statuses = isOver ? TERMINAL : LIVE;
  assert(
    statuses.includes(runStatus),
    `W23: run_finished alone has a terminal status, got ${what}`,
  );
  // A reader of a part of the log would take a question for the open one that may have been answered.
  const isAtEnd = lastSequence === sequence;
  const isEarly = !isAtEnd && (isOver || runStatus === "waiting");
  assert(!isEarly, `W23: a run waits or ends after its last event, not after ${sequence}: ${what}`);
  return { sequence, isOver };
}

function checkEvent(message: Frame["message"], before: number): number {
  const event = Object(message["event"]) as Readonly<Record<string, unknown>>;
  const what = `the event after ${before}`;
  const fields = ["createdAt", "eventType", "payload", "sequence"];
  assertEqual(Object.keys(event).toSorted(), fields, `W22: the fields of ${what}`);
  assertEqual(event["sequence"], before + 1, `W22: the sequence of ${what}`);
  return before + 1;
}

/** Judges the message of an error. */
export function checkFailure({ code, retryable }: Frame["message"], what: string): void {
  const isSoft = SOFT.includes(code);
  assert(isSoft || HARD.includes(code), `W22: an error has one of ten codes, got ${what}`);
  assertEqual(retryable, isSoft, `W22: retryable of ${what}`);
}

/** Fails unless a message has a type of these, and its fields. */
export function assertFields(
  clause: string,
  message: Frame["message"],
  fieldsOf: Readonly<Record<string, readonly string[]>>,
  optional: readonly string[] = [],
): void {
  const fields = fieldsOf[String(message["type"])];
  const what = `the frame ${show(message)}`;
  assert(fields !== undefined, `${clause}: a frame has a type that is known, got ${what}`);
  const found = Object.keys(message).filter((key) => !optional.includes(key));
  assertEqual(found.toSorted(), ["type", ...fields].toSorted(), `${clause}: the fields of ${what}`);
}

/** Fails unless a frame has a `retry:` in this range, or none. */
export function assertRetry(clause: string, { retryMs, message }: Frame, range: Retry): void {
  const what = `the retry of ${String(message["type"])}`;
  if (range === null) return assertEqual(retryMs, null, `${clause}: ${what}`);
  const [least, most] = range;
  const isWithin = retryMs !== null && retryMs >= least && retryMs <= most;
  assert(isWithin, `${clause}: ${what} is ${least} to ${most}, got ${retryMs}`);
}

function isSequence(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
