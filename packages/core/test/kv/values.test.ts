import fc from "fast-check";
import { expect, it } from "vitest";
import { numberPart, parseNumber } from "../../src/store/kv/keys.ts";
import { encodeChunks, parseChunk } from "../../src/store/kv/values.ts";

const texts = fc.string({ unit: "binary", maxLength: 400 }).filter((text) => text.isWellFormed());

it("S9 numbers are in the order of their texts", () => {
  const numbers = fc.oneof(fc.maxSafeNat(), fc.nat({ max: 1_000 }));
  fc.assert(
    fc.property(numbers, numbers, (one, other) => {
      expect(numberPart(one) < numberPart(other)).toBe(one < other);
      expect(parseNumber(numberPart(one))).toBe(one);
    }),
  );
});

it("S8 chunks of a log give back the events as they were, in as few entries as fit", () => {
  const events = fc.array(
    fc.record({
      eventType: fc.constantFrom("A", "LONG_TYPE_1"),
      payload: fc.oneof(
        texts,
        fc.nat({ max: 70_000 }).map((length) => "é".repeat(length)),
      ),
      phase: fc.constant(null),
    }),
    { minLength: 1, maxLength: 40 },
  );
  fc.assert(
    fc.property(events, fc.nat({ max: 1_000 }), fc.maxSafeNat(), (all, before, createdAtMs) => {
      const chunks = encodeChunks("path", all, before + 1, createdAtMs);
      const found = chunks.flatMap(({ key, value }) =>
        parseChunk(value ?? "", parseNumber(key.slice(key.lastIndexOf("/") + 1))),
      );
      expect(found).toEqual(
        all.map(({ eventType, payload }, at) => ({
          sequence: before + 1 + at,
          eventType,
          payload,
          createdAtMs,
        })),
      );
      const characters = all.reduce((sum, { payload }) => sum + payload.length + 20, 0);
      expect(chunks.length).toBeLessThanOrEqual(1 + (2 * characters) / 65_536);
    }),
    { numRuns: 50 },
  );
});
