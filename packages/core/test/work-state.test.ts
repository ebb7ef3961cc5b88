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
  it("W7, W32: advanceWork is as its table, for each state and each event", () => {
    for (const at of Object.keys(WAYS) as readonly WorkState["at"][]) {
      const state = after(WAYS[at]);
      expect(state.at).toBe(at);
      const next = NAMES.map((name) => [name, advanceWork(state, EVENTS[name]).at]);
      expect(next).toStrictEqual(NAMES.map((name) => [name, TABLE[at]?.[name] ?? at]));
      // A state that is over keeps its first reason.
      if ("reason" in state)
        for (const name of NAMES) expect(advanceWork(state, EVENTS[name])).toBe(state);
    }
  });
});
