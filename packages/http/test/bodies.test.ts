import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bounds } from "@tm/run-events-core/wire";
import { APPEND_EVENTS, CREATE_RUN } from "../src/contract/bodies.ts";
import { parseEvent } from "../src/contract/events.ts";

const KINDS: readonly (readonly [kind: string, of: fc.Arbitrary<unknown>])[] = [
  ["an array", fc.array(fc.jsonValue())],
  ["a string", fc.string()],
  ["a number", fc.double({ noNaN: true, noDefaultInfinity: true })],
  ["a boolean", fc.boolean()],
  ["null", fc.constant(null)],
];
const OBJECT = ["an object", fc.dictionary(fc.string(), fc.jsonValue())] as const;

/** Matches an error with this whole message. */
function refusalWith(message: string): Error {
  return expect.objectContaining({ message });
}

function bodyOf(value: unknown): ReturnType<typeof bounds.decodeJson> {
  return bounds.decodeJson(new TextEncoder().encode(` ${JSON.stringify(value)}`));
}

// The texts are whole: so they hold nothing of a value, which may be a secret.
describe("the refusal of a body says what came by its kind, and nothing of its content", () => {
  it.each(KINDS)("W8: %s as a body", (kind, values) => {
    fc.assert(
      fc.property(values, (value) => {
        const refusal = refusalWith(`Expected the body to be a JSON object, got ${kind}.`);
        expect(() => CREATE_RUN.parse(bodyOf(value))).toThrow(refusal);
      }),
    );
  });

  it.each([OBJECT, ...KINDS.filter(([kind]) => kind !== "an array")])(
    "W9: %s as events",
    (kind, values) => {
      fc.assert(
        fc.property(values, (events) => {
          const refusal = refusalWith(`Expected \`events\` to be an array of events, got ${kind}.`);
          expect(() => APPEND_EVENTS.parse(bodyOf({ events }))).toThrow(refusal);
        }),
      );
    },
  );

  it("W9: a body without events", () => {
    const refusal = refusalWith("Expected `events` to be an array of events, got none.");
    expect(() => APPEND_EVENTS.parse(bodyOf({}))).toThrow(refusal);
    expect(() => APPEND_EVENTS.parse(null)).toThrow(refusal);
  });

  it.each(KINDS)("W9: %s as an event", (kind, values) => {
    fc.assert(
      fc.property(values, (value) => {
        const refusal = refusalWith(
          `Expected event 2 to be an object, such as { "eventType": "NOTE" }, got ${kind}.`,
        );
        expect(() => parseEvent(JSON.stringify(value), 2)).toThrow(refusal);
      }),
    );
  });
});
