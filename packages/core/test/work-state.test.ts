import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { runFenced, runFinished } from "../src/rules/errors.ts";
import { advanceWork, type WorkEvent, WORKING, type WorkState } from "../src/work/work-state.ts";

const RECEIPT = { firstSequence: 1, lastSequence: 1, currentPhase: null, replayed: false };

const EVENTS = {
  "sent an end": { type: "sent", isEnd: true },
  sent: { type: "sent", isEnd: false },
  "landed an end": { type: "landed", receipt: { ...RECEIPT, runStatus: "completed" } },
  landed: { type: "landed", receipt: { ...RECEIPT, runStatus: "running" } },
  "gave up": { type: "gave_up" },
  refused: { type: "refused", reason: runFinished("failed", 1) },
  "found ended": { type: "found", reason: runFinished("failed", 1) },
  "found fenced": { type: "found", reason: runFenced() },
  parked: { type: "parked" },
  left: { type: "left" },
} as const satisfies Record<string, WorkEvent>;

type Name = keyof typeof EVENTS;
const NAMES = Object.keys(EVENTS) as readonly Name[];

/** An event without a row leaves the state as it is. */
const TABLE: Readonly<Partial<Record<WorkState["at"], Partial<Record<Name, WorkState["at"]>>>>> = {
  working: {
    "sent an end": "ending",
    "landed an end": "ended",
    refused: "lost",
    "found ended": "lost",
    "found fenced": "lost",
    parked: "parked",
    left: "left",
  },
  ending: {
    "landed an end": "ended",
    landed: "working",
    "gave up": "working",
    refused: "lost",
    "found fenced": "lost",
    parked: "parked",
    left: "left",
  },
};

/** A way into each state. */
const WAYS: Readonly<Record<WorkState["at"], readonly Name[]>> = {
  working: [],
  ending: ["sent an end"],
  ended: ["sent an end", "landed an end"],
  lost: ["found fenced"],
  parked: ["parked"],
  left: ["left"],
};

function after(names: readonly Name[]): WorkState {
  return names.reduce<WorkState>((state, name) => advanceWork(state, EVENTS[name]), WORKING);
}

describe("a worker's state", () => {
  it("advanceWork is as its table, for each state and each event", () => {
    for (const at of Object.keys(WAYS) as readonly WorkState["at"][]) {
      const state = after(WAYS[at]);
      expect(state.at).toBe(at);
      const next = NAMES.map((name) => [name, advanceWork(state, EVENTS[name]).at]);
      expect(next).toStrictEqual(NAMES.map((name) => [name, TABLE[at]?.[name] ?? at]));
    }
  });

  it("W32: a worker's state that is over keeps its first reason, through any event", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...NAMES)), (names) => {
        let state: WorkState = WORKING;
        for (const name of names) {
          const next = advanceWork(state, EVENTS[name]);
          if ("reason" in state) expect(next).toBe(state);
          state = next;
        }
      }),
    );
  });

  it("W7: a worker's own end that has landed is never taken for another's, even if it was found and sent again", () => {
    const meanwhile = fc.array(fc.constantFrom<Name>("found ended", "sent an end", "sent"));
    fc.assert(
      fc.property(meanwhile, (names) => {
        expect(after(["sent an end", ...names, "landed an end"]).at).toBe("ended");
      }),
    );
  });
});
