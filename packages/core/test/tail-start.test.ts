import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createRunEvents } from "../src/create-run-events.ts";
import type { RunEvents } from "../src/run-events.ts";
import { checkTail } from "../src/rules/tail-start.ts";
import { createMemoryStore } from "../src/store/memory.ts";

const ADA = { ownerId: "ada" };
const EVENTS = 20;

let runs: RunEvents;

beforeEach(async () => {
  runs = createRunEvents({ store: createMemoryStore() });
  await runs.create({ ownerId: "ada", runId: "r" });
  const events = Array.from({ length: EVENTS }, (_, at) => ({ eventType: "HIT", payload: at + 1 }));
  await runs.append("r", events, ADA);
});

afterEach(() => runs.close());

describe("checkTail", () => {
  it.each([0, -1, 1.5, 1_001, Number.NaN, Infinity, "5" as unknown as number])(
    "W45: %s is refused, with the bounds",
    (tail) => {
      expect(() => checkTail(tail, undefined)).toThrow("1 to 1000");
    },
  );

  it("W45: a cursor and a distance to the end exclude each other", () => {
    expect(() => checkTail(5, 0)).toThrow("both");
    expect(checkTail(1, undefined)).toBe(1);
    expect(checkTail(1_000, undefined)).toBe(1_000);
  });
});

describe("a page by its distance to the end", () => {
  it("W45: a page has the last events, and says where it begins", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 30 }),
        async (tail, limit) => {
          const page = await runs.read("r", { ...ADA, tail, limit });
          const since = Math.max(0, EVENTS - tail);
          const length = Math.min(limit, EVENTS - since);
          expect(page.since).toBe(since);
          expect(page.events.map(({ sequence }) => sequence)).toStrictEqual(
            Array.from({ length }, (_, at) => since + at + 1),
          );
          expect(page.hasMore).toBe(since + length < EVENTS);
        },
      ),
    );
  });

  it("W4, W45: a run of another owner, or none, is not found", async () => {
    for (const call of [
      () => runs.read("r", { tail: 5, ownerId: "eve" }),
      () => runs.read("none", { ...ADA, tail: 5 }),
      () => runs.log.tailStart("r", 5, { ownerId: "eve" }),
      () => runs.tail("r", { tail: 5, ownerId: "eve" })[Symbol.asyncIterator]().next(),
    ]) {
      await expect(call()).rejects.toMatchObject({ code: "not_found" });
    }
  });
});

describe("a tail by its distance to the end", () => {
  it("W45: a tail begins with the last events, and goes on to the end of the run", async () => {
    const seen: number[] = [];
    for await (const { sequence } of runs.tail("r", { ...ADA, tail: 3 })) {
      seen.push(sequence);
      if (seen.length === 1) await runs.append("r", [{ eventType: "RUN_COMPLETED" }], ADA);
    }
    expect(seen).toStrictEqual([18, 19, 20, 21]);
  });

  it("W45: a signal ends the wait for the beginning, too", async () => {
    const store = createMemoryStore();
    const hung = createRunEvents({ store: { ...store, read: async () => new Promise(() => {}) } });
    const { signal, abort } = (() => {
      const controller = new AbortController();
      return { signal: controller.signal, abort: () => controller.abort(new Error("enough")) };
    })();
    const next = hung
      .tail("r", { ...ADA, tail: 3, signal })
      [Symbol.asyncIterator]()
      .next();
    abort();
    await expect(next).rejects.toThrow("enough");
  });
});
