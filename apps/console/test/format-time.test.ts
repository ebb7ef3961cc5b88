import { expect, it } from "vitest";
import { formatAge, formatDay, formatOffset, formatSpan } from "../src/format-time.ts";

it.each([
  [-5, "0 ms"],
  [999.9, "999 ms"],
  [1_000, "1.0 s"],
  [59_999, "59.9 s"],
  [60_000, "1 m 00 s"],
  [3_599_999, "59 m 59 s"],
  [3_600_000, "1 h 00 m"],
  [86_399_999, "23 h 59 m"],
  [90_000_000, "1 d 1 h"],
])("a span of %d ms is %s", (ms, text) => expect(formatSpan(ms)).toBe(text));

it.each([
  [-1_000, "now"],
  [4_999, "now"],
  [59_999, "59 s"],
  [60_000, "1 m"],
  [3_600_000, "1 h"],
  [86_400_000, "1 d"],
])("an age of %d ms is %s", (ms, text) => expect(formatAge(ms)).toBe(text));

it.each([
  [-1, "+0.000"],
  [59_999, "+59.999"],
  [60_000, "+1:00.000"],
  [3_600_000 + 62_345, "+1:01:02.345"],
])("%d ms after the first event are %s", (ms, text) => expect(formatOffset(ms)).toBe(text));

it("a day shows its year only if it is not this year", () => {
  const now = Date.parse("2026-11-26T12:00:00Z");
  expect(formatDay("2026-12-03T12:00:00.000Z", now)).not.toContain("2026");
  expect(formatDay("2026-12-03T12:00:00.000Z", now)).toMatch(/\b0?3\b/);
  expect(formatDay("2027-01-03T12:00:00.000Z", now)).toContain("2027");
});
