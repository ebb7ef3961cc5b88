import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { RunEventsError } from "../src/rules/errors.ts";
import { checkTopic } from "../src/rules/topic.ts";
import { createRunEvents } from "../src/create-run-events.ts";
import type { RunEvents } from "../src/run-events.ts";
import { createMemoryStore } from "../src/store/memory.ts";

/** A control character: U+0000 to U+001F and U+007F to U+009F. */
function isControl(point: number): boolean {
  return point < 0x20 || (point >= 0x7f && point < 0xa0);
}

function isSurrogate(point: number): boolean {
  return point >= 0xd800 && point < 0xe000;
}

const point = fc.integer({ min: 0, max: 0x10ffff });
const good = point
  .filter((one) => !isControl(one) && !isSurrogate(one))
  .map((one) => String.fromCodePoint(one));
const bad = fc
  .oneof(point.filter(isControl), fc.integer({ min: 0xd800, max: 0xdfff }))
  .map((one) => String.fromCodePoint(one));
const topic = fc
  .array(good, { minLength: 1, maxLength: 200, size: "max" })
  .map((characters) => characters.join(""));

function refusalOf(value: unknown): RunEventsError {
  try {
    checkTopic(value);
  } catch (error) {
    if (error instanceof RunEventsError) return error;
    throw error;
  }
  throw new Error("Expected a refusal.");
}

describe("checkTopic", () => {
  it("W34: a text of 1 to 200 code points without control characters is a topic, and comes back as it is", () => {
    fc.assert(
      fc.property(topic, (text) => {
        expect(checkTopic(text)).toBe(text);
      }),
    );
    const longest = "\u{1f375}".repeat(200);
    expect(longest).toHaveLength(400);
    for (const text of ["x", "x".repeat(200), longest, " ", "\u2028", "\u0301", "\ufeff"])
      expect(checkTopic(text)).toBe(text);
  });

  it("W34: no topic is null", () => {
    expect(checkTopic(null)).toBeNull();
    expect(checkTopic(undefined)).toBeNull();
  });

  it("W34: a control character or a lone surrogate anywhere in a topic is refused", () => {
    const around = fc
      .array(good, { maxLength: 99, size: "max" })
      .map((characters) => characters.join(""));
    fc.assert(
      fc.property(around, bad, around, (before, refused, after) => {
        const { code, message } = refusalOf(before + refused + after);
        expect(code).toBe("invalid_request");
        const point = refused.codePointAt(0) ?? 0;
        expect(message).toContain(`U+${point.toString(16).toUpperCase().padStart(4, "0")}`);
      }),
    );
    for (const refused of ["a\n", "\n", "a\0", "a\u007fb", "a\u0085", "\ud83c", "\udf75\ud83c"])
      expect(refusalOf(refused).code).toBe("invalid_request");
  });

  it("W34: an empty topic and one of more than 200 characters are refused", () => {
    expect(refusalOf("").message).toContain("got an empty text.");
    for (const text of ["x".repeat(201), "\u{1f375}".repeat(201), "x".repeat(1_000_000)])
      expect(refusalOf(text).message).toContain("got a longer text.");
  });

  it("W34: a value of another type is refused, and the message names what it is", () => {
    fc.assert(
      fc.property(
        fc.anything().filter((value) => value != null && typeof value !== "string"),
        (value) => {
          expect(refusalOf(value).code).toBe("invalid_request");
        },
      ),
    );
    expect(refusalOf(7).message).toContain("got 7.");
    expect(refusalOf(["tea"]).message).toContain("got an array.");
    expect(refusalOf(new String("tea")).message).toContain("got an object");
  });

  it("W34: the message of a refusal never shows the topic", () => {
    const secret = fc.stringMatching(/^[q-z]{8,}$/);
    fc.assert(
      fc.property(secret, bad, (text, refused) => {
        for (const shown of [text.repeat(30), text + refused, refused + text])
          expect(refusalOf(shown).message).not.toContain(text.slice(0, 8));
      }),
    );
  });
});

describe("createRunEvents", () => {
  let runs: RunEvents;
  beforeEach(() => {
    runs = createRunEvents({ store: createMemoryStore() });
    return () => runs.close();
  });

  it("W34: a bad topic is refused by create and by list, and nothing is created", async () => {
    for (const bad of ["", "x".repeat(201), "a\0", 7 as unknown as string]) {
      const refused = { code: "invalid_request" };
      await expect(runs.create({ ownerId: "ada", topic: bad })).rejects.toMatchObject(refused);
      await expect(runs.list({ ownerId: "ada", topic: bad })).rejects.toMatchObject(refused);
    }
    expect((await runs.list({ ownerId: "ada" })).runs).toStrictEqual([]);
  });
});
