import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { EventDraft, RunStatus } from "../src/rules/event.ts";
import { advanceRun, judgeAppend } from "../src/rules/judge-append.ts";
import {
  foldEvent,
  INITIAL_STATE,
  isTerminal,
  phaseStartedBy,
  planEvents,
  type RunState,
  changeBy,
} from "../src/rules/lifecycle.ts";
import type { RunRecord } from "../src/rules/run.ts";
import { batches, liveDraft, requestOf, terminalDraft } from "./run-draft.ts";
import { runRecord } from "./run-record.ts";

const LIMITS = { maxPayloadBytes: 1_000, maxBatchEvents: 100 };

/** The effect of an event by the wire, written a second time and from the values instead of the texts. */
function stateAfter(drafts: readonly EventDraft[]): RunState {
  let runStatus: RunStatus = "queued";
  let phase: string | null = null;
  for (const { eventType, payload } of drafts) {
    if (eventType === "INPUT_REQUESTED") runStatus = "waiting";
    else if (eventType !== "INPUT_RECEIVED")
      runStatus = runStatus === "waiting" ? "waiting" : "running";
    else if (runStatus === "waiting") runStatus = "running";
    if (eventType === "RUN_COMPLETED") runStatus = "completed";
    if (eventType === "RUN_FAILED") runStatus = "failed";
    if (eventType === "RUN_CANCELLED") runStatus = "cancelled";
    const started: unknown = (payload as { phase?: unknown } | null | undefined)?.phase;
    if (eventType === "PHASE_STARTED" && typeof started === "string")
      phase = JSON.stringify(started);
  }
  return { runStatus, phase };
}

function appended(run: RunRecord, drafts: readonly EventDraft[], nowMs: number): RunRecord {
  const request = requestOf(drafts);
  expect(judgeAppend(run, null, request)).toBeNull();
  const next = advanceRun(run, request, nowMs);
  expect(next.landing).toStrictEqual({
    firstSequence: run.lastSequence + 1,
    lastSequence: run.lastSequence + drafts.length,
    runStatus: next.run.runStatus,
    phase: next.run.phase,
  });
  return next.run;
}

describe("the fold", () => {
  it("W6: a run's head after any batches is the fold over the whole log", () => {
    fc.assert(
      fc.property(batches("either", "with inputs"), (log) => {
        const run = log.reduce((head, drafts) => appended(head, drafts, 0), runRecord());
        const events = log.flatMap((drafts) => requestOf(drafts).events);
        const { runStatus, phase, lastSequence } = run;
        expect({ runStatus, phase }).toStrictEqual(
          events.reduce<RunState>(foldEvent, INITIAL_STATE),
        );
        expect({ runStatus, phase }).toStrictEqual(stateAfter(log.flat()));
        expect(lastSequence).toBe(events.length);
      }),
      { numRuns: 300 },
    );
  });

  it("W2: time never runs backwards within a run, even if the clock does", () => {
    fc.assert(
      fc.property(batches("either"), fc.infiniteStream(fc.nat({ max: 5_000 })), (log, times) => {
        let run = runRecord();
        for (const drafts of log) {
          const before = run.updatedAtMs;
          const nowMs = times.next().value as number;
          run = appended(run, drafts, nowMs);
          expect(run.updatedAtMs).toBe(Math.max(before, nowMs));
          expect(run.finishedAtMs).toBe(isTerminal(run.runStatus) ? run.updatedAtMs : null);
          expect(run.createdAtMs).toBe(1_000);
        }
      }),
    );
  });

  it("W6: only a string in PHASE_STARTED's own `phase` starts a phase", () => {
    const phases = (payload: string): string | null => phaseStartedBy("PHASE_STARTED", payload);
    expect(phases('{"phase":"compose"}')).toBe('"compose"');
    expect(phases('{"phase":""}')).toBe('""');
    expect(phases('{"phase":"a","phase":"b"}')).toBe('"b"');
    expect(phases('{"phase":"\\ud800\\u0000"}')).toBe('"\\ud800\\u0000"');
    expect(phases('{"__proto__":{"phase":"no"}}')).toBeNull();
    expect(phases('{"phase":1}')).toBeNull();
    expect(phases("null")).toBeNull();
    expect(phases('"phase"')).toBeNull();
    expect(phaseStartedBy("PHASE_ENDED", '{"phase":"compose"}')).toBeNull();
  });

  it("W6: no other event type ends a run, not even a name that every object has", () => {
    for (const eventType of [
      "constructor",
      "__proto__",
      "toString",
      "RUN_STARTED",
      "RUN_ENDED",
      "",
    ]) {
      expect(changeBy(eventType)).toBe("started");
    }
  });
});

describe("planEvents", () => {
  it("W7: a batch with an event after a terminal one is refused, with the index of the first such event", () => {
    const draft = fc.oneof(liveDraft, terminalDraft);
    fc.assert(
      fc.property(
        fc.array(liveDraft),
        terminalDraft,
        fc.array(draft, { minLength: 1 }),
        (a, end, b) => {
          const batch = [...a, end, ...b];
          expect(() => planEvents(batch, LIMITS)).toThrow(
            expect.objectContaining({ code: "invalid_event", details: { index: a.length + 1 } }),
          );
        },
      ),
    );
  });

  it("W6: an event type with a mistake is refused, with its index", () => {
    const texts = ["a", "1A", "_A", "A-B", "A B", "", "A\n", "É", "A".repeat(65)];
    for (const eventType of [...texts, undefined, null, 1, ["A"], { toString: () => "A" }]) {
      const draft = { eventType } as unknown as EventDraft;
      expect(() => planEvents([{ eventType: "A" }, draft], LIMITS)).toThrow(
        expect.objectContaining({ code: "invalid_event", details: { index: 1 } }),
      );
    }
    expect(planEvents([{ eventType: "A".repeat(64) }], LIMITS)).toHaveLength(1);
  });

  it("W3: the refusal of a payload without a JSON text has its index, and as its cause what the payload's own toJSON threw", () => {
    const mine = new Error("mine");
    const failing = {
      toJSON() {
        throw mine;
      },
    };
    for (const [payload, cause] of [
      [[1n], expect.any(TypeError)],
      [failing, mine],
    ] as const) {
      expect(() => planEvents([{ eventType: "A" }, { eventType: "B", payload }], LIMITS)).toThrow(
        expect.objectContaining({ code: "invalid_event", details: { index: 1 }, cause }),
      );
    }
  });
});
