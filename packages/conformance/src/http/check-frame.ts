import { assert, assertEqual, show } from "../assert.ts";
import type { Frame } from "./read-frames.ts";

const TERMINAL: readonly unknown[] = ["completed", "failed", "cancelled"];
const LIVE: readonly unknown[] = ["queued", "running", "waiting"];
const SOFT = ["store_unavailable", "overloaded", "slow_consumer", "draining", "max_age"];
const HARD = ["cursor_ahead", "history_changed", "unauthenticated", "not_found", "internal"];

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  connected: ["runId", "since", "runStatus", "currentPhase", "lastSequence"],
  run_event: ["event"],
  status: ["runStatus", "currentPhase", "lastSequence"],
  run_finished: ["runStatus", "currentPhase", "lastSequence"],
  error: ["code", "message", "retryable"],
};

/** The frames of a stream so far, as far as the next frame depends on them. */
export interface StreamSoFar {
  readonly frames: number;
  /** The last sequence that its reader has; `null` before the first frame. */
  readonly sequence: number | null;
  readonly isOver: boolean;
}

/** Nothing yet. */
export const NO_FRAMES: StreamSoFar = { frames: 0, sequence: null, isOver: false };

/**
 * Judges a frame by its own fields and by what came before it.
 * @returns the stream with it
 * @throws Error that names the clause
 * @see clauses W22 and W23 in `WIRE.md`
 */
export function checkFrame(soFar: StreamSoFar, frame: Frame): StreamSoFar {
  const { type } = frame.message;
  const what = `the frame ${show(frame.data)}`;
  assert(!soFar.isOver, `W22: nothing comes after the last frame, got ${what}`);
  assert(
    type === "error" || (type === "connected") === (soFar.frames === 0),
    `W22: connected comes first and once, got as number ${soFar.frames + 1} ${what}`,
  );
  checkFields(frame, what);
  const frames = soFar.frames + 1;
  if (type === "connected") return { frames, sequence: checkConnected(frame, what), isOver: false };
  const sequence = soFar.sequence ?? 0;
  if (type === "run_event") return { frames, sequence: checkEvent(frame, sequence), isOver: false };
  if (type === "status") checkStatus(frame, sequence, what);
  else if (type === "run_finished") checkFinished(frame, sequence, what);
  else checkError(frame, what);
  return { frames, sequence: soFar.sequence, isOver: type !== "status" };
}

function checkFields({ message }: Frame, what: string): void {
  const fields = FIELDS[String(message["type"])];
  assert(fields !== undefined, `W22: a frame has one of five types, got ${what}`);
  const optional = message["type"] === "error" ? ["lastSequence"] : [];
  const found = Object.keys(message).filter((key) => !optional.includes(key));
  assertEqual(found.toSorted(), ["type", ...fields].toSorted(), `W22: the fields of ${what}`);
}

function checkConnected({ message, id, retryMs }: Frame, what: string): number {
  const { since, runStatus, lastSequence } = message;
  assertEqual(id, String(since), `W22: the id of ${what}`);
  assert(
    retryMs !== null && retryMs >= 2_000 && retryMs <= 5_000,
    `W22: the retry of connected is 2000 to 5000, got ${retryMs}`,
  );
  assert(LIVE.includes(runStatus), `W23: connected has a status that is not terminal, got ${what}`);
  assert(
    isSequence(since) && isSequence(lastSequence) && since <= lastSequence,
    `W22: since and lastSequence are sequences in that order in ${what}`,
  );
  checkWaiting(message, since, what);
  return since;
}

function checkEvent({ message, id, retryMs }: Frame, before: number): number {
  const event = message["event"] as Readonly<Record<string, unknown>> | null;
  assertEqual(
    Object.keys(event ?? {}).toSorted(),
    ["createdAt", "eventType", "payload", "sequence"],
    `W22: the fields of the event after ${before}`,
  );
  assertEqual(event?.["sequence"], before + 1, `W22: the sequence of the event after ${before}`);
  assertEqual(id, String(before + 1), `W22: the id of event ${before + 1}`);
  assertEqual(retryMs, null, `W22: the retry of event ${before + 1}`);
  return before + 1;
}

function checkStatus({ message, id, retryMs }: Frame, sequence: number, what: string): void {
  assertEqual([id, retryMs], [null, null], `W22: id and retry of ${what}`);
  assert(
    LIVE.includes(message["runStatus"]),
    `W23: only run_finished has a terminal status, got ${what}`,
  );
  // It shows a reader that lags how far the log goes.
  const { lastSequence } = message;
  assert(
    isSequence(lastSequence) && lastSequence >= sequence,
    `W22: lastSequence is not before what was sent, which is ${sequence}, got ${what}`,
  );
  checkWaiting(message, sequence, what);
}

/** A reader of a part of the log would take a question for the open one that may have been answered. */
function checkWaiting(
  { runStatus, lastSequence }: Frame["message"],
  sequence: number,
  what: string,
): void {
  assert(
    runStatus !== "waiting" || lastSequence === sequence,
    `W23: a run shows that it waits at the end of its log, not after ${sequence}, got ${what}`,
  );
}

function checkFinished({ message, id, retryMs }: Frame, sequence: number, what: string): void {
  const { runStatus, lastSequence } = message;
  assert(TERMINAL.includes(runStatus), `W22: run_finished has a terminal status, got ${what}`);
  assertEqual(lastSequence, sequence, `W22: lastSequence, after the last event, of ${what}`);
  assertEqual(id, String(sequence + 1), `W22: the id of ${what}`);
  assertEqual(retryMs, 3_600_000, `W22: the retry of ${what}`);
}

function checkError({ message, id, retryMs }: Frame, what: string): void {
  const { code, retryable } = message;
  const isSoft = SOFT.includes(String(code));
  assert(isSoft || HARD.includes(String(code)), `W22: an error has one of nine codes, got ${what}`);
  assertEqual([id, retryable], [null, isSoft], `W22: id and retryable of ${what}`);
  assert(
    isSoft ? retryMs !== null && retryMs >= 500 && retryMs <= 15_000 : retryMs === 3_600_000,
    `W22: the retry of an error is 500 to 15000 if it is retryable, else 3600000, got ${retryMs} with ${what}`,
  );
}

function isSequence(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
