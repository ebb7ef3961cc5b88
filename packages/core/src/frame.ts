import type { StreamErrorCode } from "./stream-error.ts";
import { INITIAL_STATE, type RunState } from "./lifecycle.ts";
import type { StoredEvent } from "./store.ts";

/** How long a reader that must not come back is told to wait, in milliseconds: an hour. @see W22 */
export const NO_RETRY_MS = 3_600_000;

// A Python client's `splitlines` breaks a line at these, so they go as escapes: the same JSON value. See W1.
const LINE_SEPARATORS = /[\u0085\u2028\u2029]/g;

/**
 * Whether a frame has to escape something of the text. Next to no text has it, and three searches take 0.02 µs for an event
 * of 300 bytes, the expression 0.1.
 */
function hasSeparator(text: string): boolean {
  return text.includes("\u0085") || text.includes("\u2028") || text.includes("\u2029");
}

/** At most what the escapes of a text add to its UTF-8 bytes in a frame. */
export function escapeBytes(text: string): number {
  // Six bytes stand for two or three.
  return hasSeparator(text) ? (text.match(LINE_SEPARATORS)?.length ?? 0) * 4 : 0;
}

function escapeSeparator(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function escapeSeparators(text: string): string {
  return hasSeparator(text) ? text.replace(LINE_SEPARATORS, escapeSeparator) : text;
}

/**
 * One SSE frame: an unnamed message of LF-ended lines with `data` before `id`, since some clients take an id in when they
 * read its line and would resume past an event whose frame was cut. A `retry:` is taken in with its line by all of them. So
 * that of an hour stands behind `data`: before it, a connection that breaks within the message would keep a reader away for
 * an hour that has not been told why. The JSON must hold no raw line break; no JSON text that core makes does.
 * @see W22
 */
function encodeFrame(json: string, id: number | null, retryMs: number | null): string {
  const retry = retryMs === null ? "" : `retry: ${retryMs}\n`;
  const data = `data: ${escapeSeparators(json)}\n`;
  const lines = retryMs === NO_RETRY_MS ? data + retry : retry + data;
  return `${lines}${id === null ? "" : `id: ${id}\n`}\n`;
}

const MILLISECONDS = Array.from({ length: 1_000 }, (_, ms) => `${String(ms).padStart(3, "0")}Z`);
const TWO_DIGITS = Array.from({ length: 60 }, (_, value) => String(value).padStart(2, "0"));
let lastDay = Number.NaN;
let lastDate = "";
/** The seconds that were asked for last, each in a place of its own, and how their times begin. */
const seconds = Array<number>(64).fill(Number.NaN);
const prefixes = Array<string>(seconds.length).fill("");

function dateOf(day: number): string {
  if (day !== lastDay) {
    lastDate = new Date(day * 86_400_000).toISOString().slice(0, -"00:00:00.000Z".length);
    lastDay = day;
  }
  return lastDate;
}

function prefixOf(second: number): string {
  const day = Math.floor(second / 86_400);
  const ofDay = second - day * 86_400;
  const hour = TWO_DIGITS[Math.floor(ofDay / 3_600)] ?? "";
  const minute = TWO_DIGITS[Math.floor(ofDay / 60) % 60] ?? "";
  return `${dateOf(day)}${hour}:${minute}:${TWO_DIGITS[ofDay % 60] ?? ""}.`;
}

/**
 * A store's time as the wire says it. Remembers some seconds, since neighbours in a log mostly share one, and in a list those of
 * when a run was made and when it last changed come in turns: `toISOString` takes 0.28 µs, more than the rest of a frame, and
 * did so a hundred times for a list of 50 runs. And the last day: times of many different seconds, as of runs that were made
 * one by one, then need no `Date` either.
 * @see W2
 */
export function encodeTime(ms: number): string {
  const whole = Math.trunc(ms);
  const second = Math.floor(whole / 1_000);
  const place = second & (seconds.length - 1);
  if (seconds[place] !== second) {
    prefixes[place] = prefixOf(second);
    seconds[place] = second;
  }
  return (prefixes[place] ?? "") + (MILLISECONDS[whole - second * 1_000] ?? "");
}

/** An event as JSON, its payload as it was stored. */
export function encodeEvent({ sequence, eventType, payload, createdAtMs }: StoredEvent): string {
  return `{"sequence":${sequence},"eventType":"${eventType}","payload":${payload},"createdAt":"${encodeTime(createdAtMs)}"}`;
}

function encodeState(state: RunState, lastSequence: number): string {
  return `"runStatus":"${state.runStatus}","currentPhase":${state.phase ?? "null"},"lastSequence":${lastSequence}`;
}

/** What a `connected` frame says. */
export interface Connected {
  readonly runId: string;
  /** The cursor in force; also the frame's id, so that a reconnect before the first event does not start over. */
  readonly since: number;
  /** As of `since`. @see W23 */
  readonly state: RunState;
  readonly lastSequence: number;
  readonly retryMs: number;
}

/** The first frame of a stream. @see W22 */
export function encodeConnected(frame: Connected): string {
  const { runId, since, state, lastSequence, retryMs } = frame;
  const json = `{"type":"connected","runId":${JSON.stringify(runId)},"since":${since},${encodeState(state, lastSequence)}}`;
  return encodeFrame(json, since, retryMs);
}

/** The frame of one event. @see W22 */
export function encodeRunEvent(event: StoredEvent): string {
  return encodeRunEvents([event]);
}

/** The frames of events, one behind the other. What has to be escaped stands in payloads alone, so all are looked through at once. */
export function encodeRunEvents(events: readonly StoredEvent[]): string {
  return escapeSeparators(events.map(frameOf).join(""));
}

function frameOf(event: StoredEvent): string {
  return `data: {"type":"run_event","event":${encodeEvent(event)}}\nid: ${event.sequence}\n\n`;
}

/** A change of status or phase, and the heartbeat. It moves no cursor. @see W22, W23 */
export function encodeStatus(state: RunState, lastSequence: number): string {
  return encodeFrame(`{"type":"status",${encodeState(state, lastSequence)}}`, null, null);
}

let lastBeat: RunState & { readonly lastSequence: number } = { ...INITIAL_STATE, lastSequence: -1 };
let lastBeatBytes: Uint8Array = new Uint8Array();

/**
 * The heartbeat as bytes. Remembers the last one, since many idle streams say the same: a transport may make more of bytes
 * that it has seen.
 */
export function encodeHeartbeat(state: RunState, lastSequence: number): Uint8Array {
  const { runStatus, phase } = state;
  if (
    lastSequence !== lastBeat.lastSequence ||
    runStatus !== lastBeat.runStatus ||
    phase !== lastBeat.phase
  ) {
    lastBeat = { runStatus, phase, lastSequence };
    lastBeatBytes = encodeFrames([encodeStatus(state, lastSequence)]);
  }
  return lastBeatBytes;
}

/** The last frame of a run that has ended; its id is one past the log. @see W22, W24 */
export function encodeRunFinished(state: RunState, lastSequence: number): string {
  return encodeFrame(
    `{"type":"run_finished",${encodeState(state, lastSequence)}}`,
    lastSequence + 1,
    NO_RETRY_MS,
  );
}

/** What an `error` frame says. */
export interface StreamFailure {
  readonly code: StreamErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  readonly lastSequence?: number;
}

/** The last frame of a stream that ends before its run does. @see W22 */
export function encodeStreamError(failure: StreamFailure, retryMs: number): string {
  const { code, message, retryable, lastSequence } = failure;
  return encodeFrame(
    JSON.stringify({ type: "error", code, message, retryable, lastSequence }),
    null,
    retryMs,
  );
}

const encoder = new TextEncoder();
const scratch = new Uint8Array(65_536);

/** Frames as the bytes of one write. */
export function encodeFrames(frames: readonly string[]): Uint8Array {
  const text = frames.join("");
  const { read, written } = encoder.encodeInto(text, scratch);
  return read === text.length ? scratch.slice(0, written) : encoder.encode(text);
}
