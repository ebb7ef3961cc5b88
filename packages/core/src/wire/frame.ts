import { encodeTime } from "../rules/encode-time.ts";
import type { StoredEvent } from "../rules/event.ts";
import type { HeadState } from "../rules/shown-state.ts";

/**
 * The `retry:` of a frame whose reader must not come back, in milliseconds: an hour.
 * @see clause W22 in `WIRE.md` of `@tm/run-events-http`
 */
export const NO_RETRY_MS = 3_600_000;

/**
 * The `retry:` of the first frame of a stream, in milliseconds.
 * @param random 0 to 1, for its jitter
 * @see clause W22 in `WIRE.md` of `@tm/run-events-http`
 */
export function openingRetry(random: number): number {
  return 2_000 + Math.floor(random * 3_001);
}

// A Python client's `splitlines` breaks a line at these, so a frame escapes them: the same JSON value. See W1.
const LINE_SEPARATORS = /[\u0085\u2028\u2029]/g;

/**
 * Whether a frame has to escape a part of the text. Almost no text needs it, and three searches take less time than the expression.
 */
function hasSeparator(text: string): boolean {
  return text.includes("\u0085") || text.includes("\u2028") || text.includes("\u2029");
}

/** The most that the escapes of a text add to its UTF-8 bytes in a frame. */
export function escapeBytes(text: string): number {
  // Six bytes replace two or three.
  return hasSeparator(text) ? (text.match(LINE_SEPARATORS)?.length ?? 0) * 4 : 0;
}

function escapeSeparator(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function escapeSeparators(text: string): string {
  return hasSeparator(text) ? text.replace(LINE_SEPARATORS, escapeSeparator) : text;
}

/**
 * One SSE frame: an unnamed message of LF-ended lines. `data` is before `id`, since some clients use an id as soon as they read its
 * line, and would resume past an event whose frame was cut. All clients use a `retry:` as soon as they read its line. So the `retry:`
 * of an hour is after `data`: otherwise a connection that breaks within the message would keep a reader away for an hour without a
 * reason. The JSON must have no raw line break; JSON text that core makes has none.
 * @see clause W22 in `WIRE.md`
 */
export function encodeFrame(
  json: string,
  id: number | null = null,
  retryMs: number | null = null,
): string {
  const retry = retryMs === null ? "" : `retry: ${retryMs}\n`;
  const data = `data: ${escapeSeparators(json)}\n`;
  const lines = retryMs === NO_RETRY_MS ? data + retry : retry + data;
  return `${lines}${id === null ? "" : `id: ${id}\n`}\n`;
}

/** Writes an event as JSON, its payload as it was stored. */
export function encodeEvent({ sequence, eventType, payload, createdAtMs }: StoredEvent): string {
  return `{"sequence":${sequence},"eventType":"${eventType}","payload":${payload},"createdAt":"${encodeTime(createdAtMs)}"}`;
}

function encodeState({ runStatus, phase, lastSequence }: HeadState): string {
  return `"runStatus":"${runStatus}","currentPhase":${phase ?? "null"},"lastSequence":${lastSequence}`;
}

/**
 * The first frame of a run.
 * @param since the cursor in force; also the frame's id, so that a reconnect before the first event does not start over
 * @param head as a reader at `since` may see it. @see clause W23 in `WIRE.md` of `@tm/run-events-http`
 * @param retryMs `null` on a stream of many runs: its frames have no id either
 * @see clauses W22 and W47 in `WIRE.md` of `@tm/run-events-http`
 */
export function encodeConnected(
  runId: string,
  since: number,
  head: HeadState,
  retryMs: number | null,
): string {
  const json = `{"type":"connected","runId":${JSON.stringify(runId)},"since":${since},${encodeState(head)}}`;
  return encodeFrame(json, retryMs === null ? null : since, retryMs);
}

/**
 * The member that names a frame's run on a stream of many runs; nothing on a stream of one.
 * @see clause W47 in `WIRE.md` of `@tm/run-events-http`
 */
function encodeRunId(runId: string | null): string {
  return runId === null ? "" : `"runId":${JSON.stringify(runId)},`;
}

/**
 * The frames of events, joined. Only payloads may need an escape, so one pass over all frames finds them.
 * @param runId the run's id, on a stream of many runs
 */
export function encodeRunEvents(
  events: readonly StoredEvent[],
  runId: string | null = null,
): string {
  const head = `data: {"type":"run_event",${encodeRunId(runId)}"event":`;
  const frameOf = (event: StoredEvent): string =>
    `${head}${encodeEvent(event)}}\n${runId === null ? `id: ${event.sequence}\n` : ""}\n`;
  return escapeSeparators(events.map(frameOf).join(""));
}

/**
 * A change of status or phase, and the heartbeat. It moves no cursor.
 * @param runId the run's id, on a stream of many runs
 * @see clauses W22, W23 and W47 in `WIRE.md` of `@tm/run-events-http`
 */
export function encodeStatus(head: HeadState, runId: string | null = null): string {
  return encodeFrame(`{"type":"status",${encodeRunId(runId)}${encodeState(head)}}`);
}

let lastBeat = "";
let lastBeatBytes: Uint8Array = new Uint8Array();

/**
 * The heartbeat as bytes. Remembers the last one, since many idle streams send the same: a transport may recognize bytes that it
 * has sent before.
 */
export function encodeHeartbeat(head: HeadState): Uint8Array {
  const beat = encodeStatus(head);
  if (beat !== lastBeat) {
    lastBeat = beat;
    lastBeatBytes = encodeFrames([beat]);
  }
  return lastBeatBytes;
}

/**
 * The last frame of a finished run; its id is one past the log. On a stream of many runs it has no id, and others may follow.
 * @param runId the run's id, on a stream of many runs
 * @see clauses W22, W24 and W47 in `WIRE.md` of `@tm/run-events-http`
 */
export function encodeRunFinished(head: HeadState, runId: string | null = null): string {
  const json = `{"type":"run_finished",${encodeRunId(runId)}${encodeState(head)}}`;
  return runId === null ? encodeFrame(json, head.lastSequence + 1, NO_RETRY_MS) : encodeFrame(json);
}

/**
 * A frame about a stream of many runs as a whole: its first, its heartbeat, or its last when no run is left.
 * @see clause W47 in `WIRE.md` of `@tm/run-events-http`
 */
export function encodeStreamFrame(
  type: "stream_opened" | "heartbeat" | "stream_finished",
  retryMs: number | null,
): string {
  return encodeFrame(`{"type":"${type}"}`, null, retryMs);
}

const encoder = new TextEncoder();
const scratch = new Uint8Array(65_536);

/** Frames as the bytes of one write. */
export function encodeFrames(frames: readonly string[]): Uint8Array {
  const text = frames.join("");
  const { read, written } = encoder.encodeInto(text, scratch);
  return read === text.length ? scratch.slice(0, written) : encoder.encode(text);
}
