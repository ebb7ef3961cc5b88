import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { clampCursor, invalidCursor, parseCursor } from "../src/rules/cursor.ts";
import type { RunStatus } from "../src/rules/event.ts";
import { runRecord } from "./run-record.ts";

const BEYOND = BigInt(Number.MAX_SAFE_INTEGER) - 1n;

describe("parseCursor", () => {
  it("W15: parseCursor reads every plain integer", () => {
    fc.assert(
      fc.property(fc.oneof(fc.nat({ max: 20 }), fc.maxSafeNat()), (number) => {
        expect(parseCursor(String(number))).toBe(Math.min(number, Number(BEYOND)));
      }),
    );
  });

  it("W15, W20: parseCursor reads no text that is not its number written plainly", () => {
    const digits = fc.string({
      unit: fc.constantFrom("0", "1", "9", "+", "-", ".", "e", " ", "x", "_", "\n", "\u0000", "٣"),
      maxLength: 17,
    });
    fc.assert(
      fc.property(fc.oneof(digits, fc.stringMatching(/^[0-9]{1,4}$/), fc.string()), (text) => {
        const cursor = parseCursor(text);
        if (cursor === null) return;
        expect(text).toMatch(/^(0|[1-9][0-9]*)$/);
        expect(BigInt(cursor)).toBe(BigInt(text) < BEYOND ? BigInt(text) : BEYOND);
      }),
      { numRuns: 500 },
    );
  });

  it.each(["1000000000000000", "9007199254740993", "12345678901234567890"])(
    "W15, W24: the cursor %j is past the end of every log, and still a sequence",
    (text) => {
      const cursor = parseCursor(text) ?? 0;
      expect(Number.isSafeInteger(cursor + 1)).toBe(true);
      const run = runRecord({ lastSequence: 9, runStatus: "completed" });
      expect(() => clampCursor(cursor, run)).toThrow(
        expect.objectContaining({ code: "cursor_ahead" }),
      );
    },
  );

  it("W15: a cursor with a mistake is invalid_cursor", () => {
    expect(invalidCursor("abc")).toMatchObject({
      code: "invalid_cursor",
      retryable: false,
      message:
        'Expected `since` to be a plain non-negative integer, got "abc". Pass the sequence of the last event that you have, or 0.',
    });
  });
});

describe("clampCursor", () => {
  const clamp = (since: number, lastSequence: number, runStatus: RunStatus): number =>
    clampCursor(since, runRecord({ lastSequence, runStatus }));

  it("W24: clampCursor answers a cursor up to the end, and one past it only on a finished run", () => {
    const status = fc.constantFrom<RunStatus>(
      "queued",
      "running",
      "completed",
      "failed",
      "cancelled",
    );
    fc.assert(
      fc.property(
        fc.nat({ max: 20 }),
        fc.nat({ max: 20 }),
        status,
        (since, lastSequence, runStatus) => {
          const finished = runStatus !== "queued" && runStatus !== "running";
          if (since <= lastSequence) expect(clamp(since, lastSequence, runStatus)).toBe(since);
          else if (finished && since === lastSequence + 1)
            expect(clamp(since, lastSequence, runStatus)).toBe(lastSequence);
          else
            expect(() => clamp(since, lastSequence, runStatus)).toThrow(
              expect.objectContaining({ code: "cursor_ahead", details: { lastSequence } }),
            );
        },
      ),
      { numRuns: 300 },
    );
  });
});
