import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { RunEventsError } from "../src/rules/errors.ts";
import { checkTopic, checkWorkerName, isTopic, isWorkerName } from "../src/rules/short-text.ts";
import { ADA } from "./adas-runs.ts";
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
const CALLS = [
  ["W34: checkTopic", 200, checkTopic, isTopic],
  ["W44: checkWorkerName", 100, checkWorkerName, isWorkerName],
] as const;

describe.each(CALLS)("%s", (_name, most, check, is) => {
  function refusalOf(value: unknown): RunEventsError {
    expect(is(value)).toBe(false);
    try {
      check(value);
    } catch (error) {
      if (error instanceof RunEventsError && error.code === "invalid_request") return error;
      throw error;
    }
    throw new Error("Expected a refusal.");
  }

  it("a text of so many code points without control characters comes back as it is, and none is null", () => {
    const texts = fc.array(good, { minLength: 1, maxLength: most, size: "max" });
    fc.assert(
      fc.property(texts, (characters) => {
        const text = characters.join("");
        expect([is(text), check(text)]).toEqual([true, text]);
      }),
    );
    const longest = "\u{1f375}".repeat(most);
    for (const text of ["x".repeat(most), longest, " ", "\u2028", "\u0301", "\ufeff"])
      expect(check(text)).toBe(text);
    for (const none of [null, undefined]) expect(check(none)).toBeNull();
    for (const text of [`${longest}x`, "x".repeat(most + 1), "x".repeat(1_000_000)])
      expect(refusalOf(text).message).toContain("got a longer text.");
    expect(refusalOf("").message).toContain("got an empty text.");
  });

  it("a control character or a lone surrogate anywhere is refused, and the message names it, but never shows the text", () => {
    const text = fc.stringMatching(/^[q-z]{8,40}$/);
    fc.assert(
      fc.property(text, bad, fc.nat(40), (secret, refused, at) => {
        const { message } = refusalOf(secret.slice(0, at) + refused + secret.slice(at));
        const point = refused.codePointAt(0) ?? 0;
        expect(message).toContain(`U+${point.toString(16).toUpperCase().padStart(4, "0")}`);
        expect(message).not.toContain(secret.slice(0, 8));
        expect(refusalOf(secret.repeat(30)).message).not.toContain(secret.slice(0, 8));
      }),
    );
  });

  it("a value of another type is refused, and the message names what it is", () => {
    fc.assert(
      fc.property(
        fc.anything().filter((value) => value != null && typeof value !== "string"),
        (value) => void refusalOf(value),
      ),
    );
    expect(refusalOf(["tea"]).message).toContain("got an array.");
    expect(refusalOf(new String("tea")).message).toContain("got an object");
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

  it("W44: a worker's name is in the snapshots of its run; a bad one claims nothing", async () => {
    const { runId } = await runs.create(ADA);
    for (const worker of ["", 7 as unknown as string]) {
      const refused = { code: "invalid_request" };
      await expect(runs.claim(runId, { ...ADA, leaseMs: 1_000, worker })).rejects.toMatchObject(
        refused,
      );
      await expect(
        runs.work(runId, { ...ADA, leaseMs: 1_000, worker }, () => 1),
      ).rejects.toMatchObject(refused);
    }
    const { fence, expiresAt } = await runs.claim(runId, {
      ...ADA,
      leaseMs: 60_000,
      worker: "w-1",
    });
    expect((await runs.get(runId, ADA)).lease).toStrictEqual({ worker: "w-1", expiresAt });
    await runs.release(runId, fence, ADA);
    await runs.work(runId, { ...ADA, leaseMs: 60_000, worker: "w-2" }, async () => {
      expect((await runs.get(runId, ADA)).lease?.worker).toBe("w-2");
      expect((await runs.list(ADA)).runs[0]?.lease?.worker).toBe("w-2");
    });
    expect((await runs.get(runId, ADA)).lease).toBeNull();
  });
});
