import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { StoredEvent } from "../src/rules/event.ts";
import { JsonText } from "../src/rules/json-text.ts";
import type { HeadState } from "../src/rules/shown-state.ts";
import {
  encodeConnected,
  encodeFrames,
  encodeRunEvents,
  encodeRunFinished,
  encodeStatus,
} from "../src/wire/frame.ts";
import { encodeError, STREAM_ERRORS, type StreamErrorCode } from "../src/wire/stream-error.ts";
import { readFrames } from "./frame-reader.ts";
import { jsonSample } from "./json-sample.ts";

const decoder = new TextDecoder("utf-8", { fatal: true });
const sequence = fc.integer({ min: 1, max: 999_999_999_999_998 });
const separator = fc.constantFrom("\u0085", "\u2028", "\u2029");
const phase = fc.option(
  fc
    .array(fc.oneof(separator, fc.string({ unit: "binary" })))
    .map((parts) => JSON.stringify(parts.join(""))),
);

/**
 * A member's name with an escape in it. `JSON.parse` of Node 24 sometimes gives another name for it, after a similar text. Then these
 * tests would read back a wrong value, though the text is right.
 * @see https://github.com/nodejs/node/issues/63785
 */
const ESCAPED_NAME = /"(?:[^"\\]|\\.)*\\(?:[^"\\]|\\.)*":/;

const event: fc.Arbitrary<StoredEvent> = fc.record({
  sequence,
  eventType: fc.stringMatching(/^[A-Z][A-Z0-9_]{0,63}$/),
  payload: jsonSample
    .map(({ raw }) => JsonText.parse(raw).text)
    .filter((text) => !ESCAPED_NAME.test(text)),
  createdAtMs: fc.nat({ max: 4_102_444_800_000 }),
});

const state: fc.Arbitrary<HeadState> = fc.record({
  lastSequence: sequence,
  runStatus: fc.constantFrom("queued", "running", "completed", "failed", "cancelled"),
  phase,
});

const code = fc.constantFrom(...(Object.keys(STREAM_ERRORS) as StreamErrorCode[]));

/** Every kind of frame. */
const frame: fc.Arbitrary<Uint8Array> = fc
  .oneof(
    event.map((one) => encodeRunEvents([one])),
    state.map((head) => encodeStatus(head)),
    state.map((head) => encodeRunFinished(head)),
    fc
      .tuple(state, sequence, fc.integer({ min: 2_000, max: 5_000 }))
      .map(([head, since, retryMs]) => encodeConnected("r-1", since, head, retryMs)),
    fc.tuple(code, sequence).map(([name, last]) => encodeError(name, { lastSequence: last }, 500)),
  )
  .map((text) => encodeFrames([text]));

describe("every frame", () => {
  it("W22: a frame is LF-ended lines: optional retry, one data, optional id, and a blank line; an hour's retry comes after data", () => {
    fc.assert(
      fc.property(frame, (bytes) => {
        const text = decoder.decode(bytes);
        expect(text).toMatch(
          /^(?:(?:retry: \d{3,5}\n)?data: \{[^\n]*\}\n|data: \{[^\n]*\}\nretry: 3600000\n)(id: \d{1,15}\n)?\n$/,
        );
        expect(text).not.toMatch(/[\r\u0085\u2028\u2029]/);
        const [read, ...others] = readFrames(bytes);
        expect([others, read?.event]).toStrictEqual([[], undefined]);
        expect(read?.data["type"]).toEqual(expect.any(String));
      }),
      { numRuns: 500 },
    );
  });
});

/** A frame as its clause describes it, piece by piece. */
function plainFrame({ sequence: at, eventType, payload, createdAtMs }: StoredEvent): string {
  const createdAt = JSON.stringify(new Date(createdAtMs));
  const event = `{"sequence":${at},"eventType":${JSON.stringify(eventType)},"payload":${payload},"createdAt":${createdAt}}`;
  const json = Array.from(`{"type":"run_event","event":${event}}`, (character) =>
    /[\u0085\u2028\u2029]/.test(character)
      ? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
      : character,
  );
  return `data: ${json.join("")}\nid: ${at}\n\n`;
}

describe("encodeRunEvents of many", () => {
  const odd = fc
    .array(
      fc.oneof(
        separator,
        fc.string({ unit: "binary" }),
        fc.constantFrom("\0", "\ud800", "__proto__", ""),
      ),
    )
    .map((parts) => JsonText.of({ __proto__: null, [parts.join("")]: parts }).text);
  const any = fc.oneof(
    event,
    fc.tuple(event, odd).map(([one, payload]): StoredEvent => ({ ...one, payload })),
  );

  it("W1, W22: encodeRunEvents writes the bytes of one plain frame after another, for any events", () => {
    fc.assert(
      fc.property(fc.array(any, { maxLength: 8 }), (events) => {
        const plain = events.map(plainFrame);
        expect(encodeRunEvents(events)).toBe(plain.join(""));
        expect(events.map((one) => encodeRunEvents([one]))).toStrictEqual(plain);
        expect(Buffer.from(encodeFrames(plain))).toStrictEqual(Buffer.from(plain.join("")));
      }),
      { numRuns: 500 },
    );
  });

  it("W22: encodeRunEvents writes frames of any length", () => {
    const lengths = fc.integer({ min: 65_000, max: 66_000 });
    fc.assert(
      fc.property(fc.constantFrom("x", "é", "😀"), lengths, (unit, length) => {
        const frame = unit.repeat(length / unit.length);
        expect(Buffer.from(encodeFrames([frame, "y"])).equals(Buffer.from(`${frame}y`))).toBe(true);
      }),
    );
  });

  it("W22: encodeFrames gives each frame its own bytes", () => {
    const first = encodeFrames(["first"]);
    encodeFrames(["other"]);
    expect(decoder.decode(first)).toBe("first");
  });
});
