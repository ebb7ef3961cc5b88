import { expect } from "vitest";
import type { NewEvent, RunSnapshot } from "../src/rules/event.ts";
import { foldEvent, INITIAL_STATE, isTerminal, type RunState } from "../src/rules/lifecycle.ts";
import { decodePhase } from "../src/rules/receipt.ts";
import { STREAM_ERRORS, type StreamErrorCode } from "../src/wire/stream-error.ts";
import type { TimedFrame } from "./fake-sink.ts";
import {
  CLOSE_MS,
  type Conversation,
  HEARTBEAT_MS,
  MAX_AGE_MS,
  MAX_STREAMS,
  STALL_MS,
  type StreamWorld,
  TICK_MS,
} from "./stream-world.ts";

/**
 * Checks the state in a frame before the end: it is that of the log's end as the frame names it. A question, as well as the end of the run,
 * is not shown to a reader who has less than that.
 */
export function checkState({ data }: TimedFrame, cursor: number, log: readonly NewEvent[]): void {
  const { runStatus, currentPhase, lastSequence } = data;
  const end = Number(lastSequence);
  expect(end).toBeGreaterThanOrEqual(cursor);
  expect(end).toBeLessThanOrEqual(log.length);
  const state = stateOf(log.slice(0, end));
  const isHidden = state.runStatus === "waiting" ? cursor < end : isTerminal(state.runStatus);
  expect({ runStatus, currentPhase }).toStrictEqual({
    ...state,
    runStatus: isHidden ? "running" : state.runStatus,
  });
}

function stateOf(log: readonly NewEvent[]): Pick<RunSnapshot, "runStatus" | "currentPhase"> {
  const { runStatus, phase } = log.reduce<RunState>(foldEvent, INITIAL_STATE);
  return { runStatus, currentPhase: decodePhase(phase) };
}

function checkError({ data, id, retryMs }: TimedFrame): void {
  const code = data["code"] as StreamErrorCode;
  expect(STREAM_ERRORS).toHaveProperty(code);
  expect([data["retryable"], id]).toStrictEqual([STREAM_ERRORS[code].retryable, undefined]);
  if (STREAM_ERRORS[code].retryable) {
    expect(retryMs).toBeGreaterThanOrEqual(500);
    expect(retryMs).toBeLessThanOrEqual(15_000);
  } else expect(retryMs).toBe(3_600_000);
}

function checkConnected(frame: TimedFrame, since: number, log: readonly NewEvent[]): void {
  const { data, id, retryMs } = frame;
  expect(data).toMatchObject({ type: "connected", since });
  checkState(frame, since, log);
  expect(id).toBe(String(since));
  expect(retryMs).toBeGreaterThanOrEqual(2_000);
  expect(retryMs).toBeLessThanOrEqual(5_000);
}

/**
 * Reads the frames of a run after `connected` as a client would.
 * @param isAlone whether it is alone on its stream: its frames have ids then
 */
export function checkFrames(
  frames: readonly TimedFrame[],
  since: number,
  log: readonly NewEvent[],
  isAlone: boolean,
): void {
  let cursor = since;
  frames.forEach((frame, at) => {
    const { data, id, retryMs } = frame;
    const last = at === frames.length - 1;
    switch (data["type"]) {
      case "run_event": {
        const { eventType, payload } = log[cursor] ?? {};
        cursor += 1;
        expect(data["event"]).toMatchObject({
          sequence: cursor,
          eventType,
          payload: JSON.parse(payload ?? "?") as unknown,
        });
        expect([id, retryMs]).toStrictEqual([isAlone ? String(cursor) : undefined, undefined]);
        break;
      }
      case "status":
        checkState(frame, cursor, log);
        expect([id, retryMs]).toStrictEqual([undefined, undefined]);
        break;
      case "run_finished":
        expect([last, cursor]).toStrictEqual([true, log.length]);
        expect([id, retryMs]).toStrictEqual(
          isAlone ? [String(cursor + 1), 3_600_000] : [undefined, undefined],
        );
        expect(data).toMatchObject({ ...stateOf(log), lastSequence: cursor });
        expect(["completed", "failed", "cancelled"]).toContain(data["runStatus"]);
        break;
      default:
        expect([data["type"], last]).toStrictEqual(["error", true]);
    }
  });
}

function checkTimes({ sink, startedAtMs }: Conversation, { data, atMs }: TimedFrame): void {
  if (data["code"] === "max_age") {
    expect(atMs - startedAtMs).toBeGreaterThanOrEqual(0.8 * MAX_AGE_MS);
    expect(atMs - startedAtMs).toBeLessThanOrEqual(MAX_AGE_MS + TICK_MS);
  }
  // A stream that was never started gets the reason as well, even late.
  if (data["code"] === "slow_consumer" && sink.frames.length > 1) {
    expect(atMs - (sink.fullSinceMs ?? Number.NaN)).toBeGreaterThanOrEqual(STALL_MS);
  }
}

/**
 * Checks what holds of every stream at any point: the frames that a client has had so far.
 * @param log the whole log of its run
 */
export function checkConversation(conversation: Conversation, log: readonly NewEvent[]): void {
  const { sink, since, openState } = conversation;
  expect(sink.faults).toStrictEqual([]);
  const [first, ...others] = sink.frames;
  if (openState !== "open") expect(first).toBeUndefined();
  if (first === undefined) return;
  if (first.data["type"] === "error") expect(others).toStrictEqual([]);
  else {
    checkConnected(first, Math.min(since, log.length), log);
    checkFrames(others, Math.min(since, log.length), log, true);
  }
  const final = sink.frames.at(-1) ?? first;
  if (final.data["type"] === "error") checkError(final);
  if (sink.state === "ended" || sink.state === "destroyed") {
    expect(["error", "run_finished"]).toContain(final.data["type"]);
    checkTimes(conversation, final);
  }
}

export function isLive({ sink, openState }: Conversation): boolean {
  return openState === "open" && sink.state === "open";
}

/** Checks what holds at every moment. */
export function checkNow({ clock, conversations, drainedByMs, streams }: StreamWorld): void {
  const now = clock.now();
  expect(streams.stats().open).toBeLessThanOrEqual(MAX_STREAMS);
  for (const conversation of conversations) {
    const { sink, questions, startedAtMs, askedAtMs, answeredAtMs } = conversation;
    // A refused stream is one frame and an end: the drain does not wait for its transport.
    const refused = sink.frames[0]?.data["type"] === "error";
    if (sink.state === "ended" && !refused)
      expect(now - sink.quietSinceMs).toBeLessThanOrEqual(CLOSE_MS + TICK_MS);
    if (!isLive(conversation)) continue;
    if (sink.fullSinceMs === null)
      expect(now - Math.max(sink.quietSinceMs, startedAtMs)).toBeLessThanOrEqual(HEARTBEAT_MS);
    else expect(now - sink.fullSinceMs).toBeLessThanOrEqual(STALL_MS + TICK_MS);
    expect(now - startedAtMs).toBeLessThanOrEqual(MAX_AGE_MS + TICK_MS);
    const askedByMs = Math.max(askedAtMs + HEARTBEAT_MS, answeredAtMs + TICK_MS);
    if (questions.length === 0) expect(now).toBeLessThanOrEqual(askedByMs);
    // A stream that was being opened when the drain began gets the reason as soon as it can.
    expect(now).toBeLessThanOrEqual(Math.max(drainedByMs, startedAtMs) + TICK_MS);
  }
}
