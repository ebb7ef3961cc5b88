import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  createSlice,
  fitSlice,
  type Position,
  SLICE_BYTES,
  weighEvent,
} from "../src/follow/slice.ts";
import type { StoredEvent } from "../src/rules/event.ts";
import {
  foldEvent,
  INITIAL_STATE,
  isTerminal,
  planEvents,
  type RunState,
} from "../src/rules/lifecycle.ts";
import { encodeFrames, encodeRunEvent } from "../src/wire/frame.ts";
import { readFrames } from "./frame-reader.ts";
import { batches } from "./run-draft.ts";
import { storedEvent } from "./run-record.ts";

const LIMITS = { maxPayloadBytes: 100_000, maxBatchEvents: 1_000 };

const logs: fc.Arbitrary<readonly StoredEvent[]> = batches("either").map((log) =>
  log
    .flatMap((drafts) => planEvents(drafts, LIMITS).events)
    .map(({ eventType, payload }, at) => storedEvent({ sequence: at + 1, eventType, payload })),
);

function positionAt(log: readonly StoredEvent[], sequence: number): Position {
  const atMs = log[sequence - 1]?.createdAtMs ?? 0;
  return { sequence, atMs, ...log.slice(0, sequence).reduce<RunState>(foldEvent, INITIAL_STATE) };
}

function currentPhase({ phase }: RunState): unknown {
  return phase === null ? null : JSON.parse(phase);
}

describe("createSlice", () => {
  it("W22, W23: a slice is each event's frame, then a changed status, or the end of the run", () => {
    fc.assert(
      fc.property(logs, fc.nat(), fc.nat(), (log, a, b) => {
        const [first, last] = [a % (log.length + 1), b % (log.length + 1)].toSorted(
          (x, y) => x - y,
        ) as [number, number];
        const from = positionAt(log, first);
        const to = positionAt(log, last);
        const events = log.slice(first, last);
        fc.pre(events.length > 0 || isTerminal(from.runStatus));
        const slice = createSlice(from, events, log.length);
        expect(slice).toMatchObject({ events, to, finished: isTerminal(to.runStatus) });
        const state = { runStatus: to.runStatus, currentPhase: currentPhase(to) };
        const changed = from.runStatus !== to.runStatus || from.phase !== to.phase;
        const expected = isTerminal(to.runStatus)
          ? [{ type: "run_finished", ...state, lastSequence: last }]
          : changed
            ? [{ type: "status", ...state, lastSequence: log.length }]
            : [];
        const frames = readFrames(slice.bytes());
        expect(frames.slice(0, events.length)).toStrictEqual(
          events.flatMap((event) => readFrames(encodeRunEvent(event))),
        );
        expect(frames.slice(events.length).map((frame) => frame.data)).toStrictEqual(expected);
        expect(slice.bytes()).toBe(slice.bytes());
      }),
      { numRuns: 300 },
    );
  });
});

describe("fitSlice", () => {
  it("W25: fitSlice fills a slice, escapes counted, and takes one event of any size", () => {
    const events = fc.array(
      fc.constantFrom("x".repeat(100), "\u2028".repeat(4_000), "x".repeat(60_000)),
      {
        minLength: 1,
        maxLength: 40,
      },
    );
    fc.assert(
      fc.property(events, fc.nat(), (payloads, index) => {
        const all = payloads.map((text, at) =>
          storedEvent({ sequence: at + 1, payload: JSON.stringify(text) }),
        );
        const start = index % all.length;
        const fitting = fitSlice(all, start, weighEvent);
        const bytes = encodeFrames(fitting.map(encodeRunEvent)).length;
        const next = all[start + fitting.length];
        expect(fitting).toStrictEqual(all.slice(start, start + fitting.length));
        expect(fitting.length === 1 || bytes <= SLICE_BYTES).toBe(true);
        const weight = fitting.reduce((sum, event) => sum + weighEvent(event), 0);
        expect(next === undefined || weight + weighEvent(next) > SLICE_BYTES).toBe(true);
      }),
    );
  });
});
