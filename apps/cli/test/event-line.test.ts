import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeEventJson, encodeEventLine } from "../src/event-line.ts";

/** Code points that a terminal obeys: controls, line ends, directions, a byte order mark. */
function isObeyed(code: number): boolean {
  return (
    code < 0x20 ||
    (code >= 0x7f && code <= 0x9f) ||
    [0x61c, 0x200e, 0x200f, 0xfeff].includes(code) ||
    (code >= 0x2028 && code <= 0x202e) ||
    (code >= 0x2066 && code <= 0x2069)
  );
}

const obeyedIn = (text: string): readonly number[] =>
  Array.from(text, (character) => character.codePointAt(0) ?? 0).filter(isObeyed);

/** Any text, with many characters that a terminal obeys. */
const TEXT = fc
  .array(
    fc.oneof(
      fc.string({ unit: "grapheme", maxLength: 3 }),
      fc.integer({ min: 0, max: 0xff }).map((code) => String.fromCodePoint(code)),
      fc.integer({ min: 0x2020, max: 0x2070 }).map((code) => String.fromCodePoint(code)),
      fc.constantFrom("\u061c", "\ufeff", "\ud800", "\u001b[31m", "\u009b2J", "\r\n"),
    ),
  )
  .map((parts) => parts.join(""));

const EVENT = fc.record({
  sequence: fc.nat(),
  createdAt: fc.constant("2026-11-27T00:00:00.000Z"),
  eventType: fc.constantFrom("STDOUT", "NOTE"),
  payload: fc.oneof(fc.record({ line: TEXT }), fc.dictionary(TEXT, TEXT), TEXT, fc.constant(null)),
});

describe("text from elsewhere", () => {
  it("any event is one line, and only a line of output keeps its tabs", () => {
    fc.assert(
      fc.property(EVENT, (event) => {
        const line = encodeEventLine(event);
        expect(obeyedIn(line).filter((code) => code !== 9)).toEqual([]);
        expect(line).toMatch(
          new RegExp(`^${event.sequence} ${event.createdAt} ${event.eventType}`),
        );
        const json = encodeEventJson(JSON.stringify(event), true);
        expect(obeyedIn(json)).toEqual([]);
        expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(event)));
      }),
    );
  });

  it("an event cannot forge another one, write the clipboard or reverse a line", () => {
    const line = (text: string): string =>
      encodeEventLine({
        sequence: 7,
        createdAt: "T",
        eventType: "STDOUT",
        payload: { line: text },
      });
    expect(line("\n8 T RUN_COMPLETED {}")).toBe("7 T STDOUT \\n8 T RUN_COMPLETED {}");
    expect(line("\u001b]52;c;eA==\u0007")).toBe("7 T STDOUT \\u001b]52;c;eA==\\u0007");
    expect(line("a\tb \u009b2J \u202eexe.txt")).toBe("7 T STDOUT a\tb \\u009b2J \\u202eexe.txt");
  });
});

it("W1: an event as JSON is exactly the server's text in a pipe", () => {
  const text = '{"sequence":1,"payload":{"b":1e2,"n":12345678901234567890,"c":"\u009b"}}';
  expect(encodeEventJson(text, false)).toBe(text);
});
