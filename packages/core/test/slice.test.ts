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
import type { HeadState } from "../src/rules/shown-state.ts";
import { encodeFrames, encodeRunEvents } from "../src/wire/frame.ts";
import { readFrames } from "./frame-reader.ts";
import { batches } from "./run-draft.ts";
import { storedEvent } from "./run-record.ts";

const LIMITS = { maxPayloadBytes: 100_000, maxBatchEvents: 1_000 };

const logs: fc.Arbitrary<readonly StoredEvent[]> = batches("either").map((log) =>
  log
    .flatMap((drafts) => planEvents(drafts, LIMITS))
    .map(({ eventType, payload }, at) => storedEvent({ sequence: at + 1, eventType, payload })),
);

function positionAt(log: readonly StoredEvent[], sequence: number): Position {
  return { sequence, atMs: log[sequence - 1]?.createdAtMs ?? 0 };
}

/** The head after that many events of the log. */
function headAt(log: readonly StoredEvent[], lastSequence: number): HeadState {
  const events = log.slice(0, lastSequence);
  return { ...events.reduce<RunState>(foldEvent, INITIAL_STATE), lastSequence };
}

function frameOf({ phase, ...head }: HeadState): unknown {
  return { ...head, currentPhase: phase === null ? null : JSON.parse(phase) };
}

describe("createSlice", () => {
  it("W22, W23: a slice is each event's frame, then the status that is asked for, or the end of the run exactly where its log ends", () => {
    const places = fc.tuple(fc.nat(), fc.nat(), fc.nat());
    fc.assert(
      fc.property(logs, places, fc.boolean(), (log, numbers, isKnown) => {
        const [first, last, end] = numbers
          .map((place) => place % (log.length + 1))
          .toSorted((x, y) => x - y) as [number, number, number];
        const head = headAt(log, end);
        const events = log.slice(first, last);
        const finished = isTerminal(head.runStatus) && last === end;
        fc.pre(events.length > 0 || finished);
        const slice = createSlice(positionAt(log, first), events, head);
        expect(slice).toMatchObject({ events, to: positionAt(log, last), head, finished });
        const status = isKnown ? null : headAt(log, log.length);
        const changes = status === null ? [] : [{ type: "status", ...Object(frameOf(status)) }];
        const expected = finished ? [{ type: "run_finished", ...Object(frameOf(head)) }] : changes;
        const frames = readFrames(slice.bytes(status));
        expect(frames.slice(0, events.length)).toStrictEqual(
          events.flatMap((event) => readFrames(encodeRunEvents([event]))),
        );
        expect(frames.slice(events.length).map((frame) => frame.data)).toStrictEqual(expected);
        expect(slice.bytes(status)).toBe(slice.bytes(status));
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
        const bytes = encodeFrames(fitting.map((one) => encodeRunEvents([one]))).length;
        const next = all[start + fitting.length];
        expect(fitting).toStrictEqual(all.slice(start, start + fitting.length));
        expect(fitting.length === 1 || bytes <= SLICE_BYTES).toBe(true);
        const weight = fitting.reduce((sum, event) => sum + weighEvent(event), 0);
        expect(next === undefined || weight + weighEvent(next) > SLICE_BYTES).toBe(true);
      }),
    );
  });
});
