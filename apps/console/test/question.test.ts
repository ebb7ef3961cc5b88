import type { RunEvent } from "@tm/run-events-core";
import fc from "fast-check";
import { expect, it } from "vitest";
import { openQuestion } from "../src/question.ts";

function asked(payload: unknown, sequence = 1): RunEvent {
  return { sequence, eventType: "INPUT_REQUESTED", payload, createdAt: "" };
}

it("W38: only a run that waits has a question: its last one", () => {
  const events = [asked("one"), asked("two", 2), { ...asked("three", 3), eventType: "LOG" }];
  expect(openQuestion(events, "waiting")).toEqual({
    sequence: 2,
    lastSequence: 3,
    words: "two",
    choices: [],
    types: null,
  });
  for (const status of ["queued", "running", "completed", null] as const)
    expect(openQuestion(events, status)).toBe(null);
  expect(openQuestion([], "waiting")).toBe(null);
});

it.each([
  ["Milk?", "Milk?"],
  [{ question: "Milk?", prompt: "no" }, "Milk?"],
  [{ prompt: "Milk?" }, "Milk?"],
  [{ message: "Milk?", question: 7 }, "Milk?"],
  [{ amount: 2 }, '{"amount":2}'],
  [null, "The run waits for an answer."],
  ["a\u202Eb", "a\\u202eb"],
])("the words of the question %j are %s", (payload, words) => {
  expect(openQuestion([asked(payload)], "waiting")?.words.toLowerCase()).toBe(words.toLowerCase());
});

it("a question of the kind `approval` is approved or denied, and one with options gets one of them", () => {
  const choices = (payload: unknown): unknown =>
    openQuestion([asked(payload)], "waiting")?.choices.map(({ label, payload: answer }) => [
      label,
      answer,
    ]);
  expect(choices({ kind: "approval" })).toEqual([
    ["Approve", { approved: true }],
    ["Deny", { approved: false }],
  ]);
  expect(choices({ options: ["tea", "milk", "tea"] })).toEqual([
    ["tea", "tea"],
    ["milk", "milk"],
  ]);
  for (const options of [[], [1], ["a", null], "ab", Array.from({ length: 13 }, String)])
    expect(choices({ options })).toEqual([]);
});

it("the answer to a question with a schema is JSON, unless the schema is of text alone", () => {
  const types = (schema: unknown): unknown =>
    openQuestion([asked({ question: "Where?", schema })], "waiting")?.types;
  expect(types({ type: "object" })).toEqual(["object"]);
  expect(types({ type: ["integer", "null", 7] })).toEqual(["integer", "null"]);
  for (const any of [{}, true, { anyOf: [] }, { type: 7 }]) expect(types(any)).toEqual([]);
  for (const words of [undefined, null, false, "text", { type: "string" }, { type: ["string"] }])
    expect(types(words)).toBe(null);
});

it("any payload has words, and choices with different labels", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (payload) => {
      const question = openQuestion([asked(payload)], "waiting");
      const labels = question?.choices.map(({ label }) => label) ?? [];
      expect(new Set(labels).size).toBe(labels.length);
      expect(typeof question?.words).toBe("string");
    }),
  );
});
