import { expect, it } from "vitest";
import { findFaults } from "../src/exactly-once/find-faults.ts";
import type { Attempt, History, SeenEvent } from "../src/exactly-once/history.ts";

const EVENTS: readonly SeenEvent[] = [
  { sequence: 1, value: "a", fence: null, createdAt: "2026-01-01T00:00:00.001Z" },
  { sequence: 2, value: "b", fence: 1, createdAt: "2026-01-01T00:00:00.001Z" },
  { sequence: 3, value: "c", fence: 2, createdAt: "2026-01-01T00:00:00.002Z" },
  { sequence: 4, value: null, fence: null, createdAt: "2026-01-01T00:00:00.003Z" },
];

function attempt(value: string, outcome: Attempt["outcome"]): Attempt {
  return { runId: "r", value, idempotencyKey: null, outcome };
}

const ATTEMPTS: readonly Attempt[] = [
  attempt("a", { is: "landed", sequence: 1 }),
  attempt("b", { is: "landed", sequence: null }),
  attempt("c", { is: "in doubt" }),
  attempt("d", { is: "in doubt" }),
  attempt("e", { is: "refused", code: "store_unavailable" }),
];

function historyOf(events: readonly SeenEvent[], more: Partial<History> = {}): History {
  return {
    attempts: ATTEMPTS,
    claims: [
      { runId: "r", fence: 1 },
      { runId: "r", fence: 2 },
    ],
    readings: [{ runId: "r", events, end: "run" }],
    replays: [{ runId: "r", value: "a", isReplayed: true, sequence: 1 }],
    logs: [{ runId: "r", events }],
    ...more,
  };
}

function changed(sequence: number, change: Partial<SeenEvent>): History {
  return historyOf(
    EVENTS.map((event) => (event.sequence === sequence ? { ...event, ...change } : event)),
  );
}

it("a history that keeps the contract has no fault, whether or not what is in doubt has landed", () => {
  expect(findFaults(historyOf(EVENTS))).toEqual([]);
});

it.each<[string, History, string]>([
  ["a hole", changed(3, { sequence: 4 }), "r has the sequence 4 where 3 is due."],
  ["a time that goes back", changed(3, { createdAt: "2025" }), "the time of 3 is before that"],
  ["a fence that goes back", changed(2, { fence: 3 }), "3 is of fence 2, after one of 3."],
  ["an end that is not one", changed(2, { value: null }), "r ends at 2 and goes on."],
  ["no end", historyOf(EVENTS.slice(0, 3)), "r does not end."],
  ["an event twice", changed(3, { value: "b" }), "r has b at 2 and 3: landed."],
  ["one in doubt twice", changed(2, { value: "c" }), "r has c at 2 and 3: in doubt."],
  ["a lost event", changed(1, { value: "d" }), "r has lost a, which was acknowledged."],
  ["one elsewhere", changed(1, { sequence: 9 }), "r has a at 9, but acknowledged it at 1."],
  ["a refused one", changed(3, { value: "e" }), "r has e at 3, but it was refused"],
  ["one of no writer", changed(3, { value: "z" }), "r has z at 3, which was never written to it."],
  [
    "a stale refusal",
    historyOf(EVENTS, { attempts: [...ATTEMPTS, attempt("f", { is: "refused", code: "fenced" })] }),
    "r was refused f wrongly: fenced.",
  ],
  [
    "a fence given twice",
    historyOf(EVENTS, {
      claims: [
        { runId: "r", fence: 1 },
        { runId: "r", fence: 1 },
      ],
    }),
    "r gave the fence 1 to 2 claims.",
  ],
  [
    "a reader of another log",
    historyOf(EVENTS, { readings: [{ runId: "r", events: EVENTS.slice(0, 2), end: "run" }] }),
    "A reader of r got 1:a 2:b, not 1:a 2:b 3:c 4:end.",
  ],
  [
    "a false end",
    historyOf(EVENTS, { readings: [{ runId: "r", events: [], end: "not_found" }] }),
    "A reader of r ended with not_found, after 0 events.",
  ],
  [
    "a key that is forgotten",
    historyOf(EVENTS, { replays: [{ runId: "r", value: "a", isReplayed: false, sequence: 5 }] }),
    "r took a a second time, at 5.",
  ],
  [
    "a key that replays another place",
    historyOf(EVENTS, { replays: [{ runId: "r", value: "a", isReplayed: true, sequence: 2 }] }),
    "r replayed a at 2, where it is not.",
  ],
])("%s is a fault", (_, history, fault) => {
  expect(findFaults(history).join("\n")).toContain(fault);
});
