import fc from "fast-check";
import { expect, it } from "vitest";
import { eventKey, numberPart, parseNumber } from "../../src/store/kv/keys.ts";
import { encodeEvent, parseEvent } from "../../src/store/kv/values.ts";

const texts = fc.string({ unit: "binary", maxLength: 400 }).filter((text) => text.isWellFormed());
const sequences = fc.oneof(fc.maxSafeNat(), fc.nat({ max: 1_000 }));

it("S9 numbers are in the order of their texts", () => {
  fc.assert(
    fc.property(sequences, sequences, (one, other) => {
      expect(numberPart(one) < numberPart(other)).toBe(one < other);
      expect(parseNumber(numberPart(one))).toBe(one);
    }),
  );
});

it("S8 a value gives back the event as it was", () => {
  const eventType = fc.constantFrom("A", "LONG_TYPE_1");
  fc.assert(
    fc.property(eventType, texts, sequences, fc.maxSafeNat(), (type, payload, sequence, ms) => {
      const value = encodeEvent({ eventType: type, payload, phase: null }, ms);
      const found = parseEvent({ key: eventKey("path", sequence), value });
      expect(found).toEqual({ sequence, eventType: type, payload, createdAtMs: ms });
    }),
  );
});
