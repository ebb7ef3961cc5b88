import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readAfter } from "../src/log/read-after.ts";
import type { StoredEvent } from "../src/rules/event.ts";
import { headOf } from "../src/rules/head.ts";
import { createPageCut } from "../src/rules/page.ts";
import type { ReadQuery, ReadResult } from "../src/store/store.ts";
import { runRecord, storedEvent } from "./run-record.ts";
import { RUN } from "./run-writes.ts";

type Page = Pick<ReadQuery, "since" | "limit" | "maxBytes">;

/** Some take more than a page has room for. */
const payloads = fc.constantFrom("0", "x".repeat(90));
const logs = fc.array(payloads, { maxLength: 8 });
const pages: fc.Arbitrary<Page> = fc.record({
  since: fc.nat(9),
  limit: fc.nat(4),
  maxBytes: fc.integer({ min: 1, max: 1_500 }),
});

/** A log of these events, each at its own time. */
function logOf(texts: readonly string[], fromMs = 1_000, from = 0): readonly StoredEvent[] {
  return texts.map((payload, at) =>
    storedEvent({ sequence: from + at + 1, payload, createdAtMs: fromMs + at }),
  );
}

/** The events that a page has at most. */
function cut(
  log: readonly StoredEvent[],
  { since, limit, maxBytes }: Page,
): readonly StoredEvent[] {
  const belongs = createPageCut(limit, maxBytes);
  const rest = log.slice(since);
  const end = rest.findIndex(({ payload }) => !belongs(payload.length));
  return end === -1 ? rest : rest.slice(0, end);
}

function answer(log: readonly StoredEvent[], query: ReadQuery): ReadResult {
  const run = runRecord({ lastSequence: log.length });
  const more = { revision: 1, exclusive: false, dueMs: 0, keptClaim: null, resumable: false };
  return { head: headOf({ ...run, ...more, commits: [] }), events: cut(log, query) };
}

function timeAt(log: readonly StoredEvent[], { since }: Page): number | null {
  return log[since - 1]?.createdAtMs ?? null;
}

/** Whether these are the first events of the page, and one at least if it has any. */
function isPageOf(
  log: readonly StoredEvent[],
  page: Page,
  events: readonly StoredEvent[] = [],
): boolean {
  const most = cut(log, page);
  return (
    isDeepStrictEqual(events, most.slice(0, events.length)) && events.length > 0 === most.length > 0
  );
}

describe("readAfter", () => {
  it("S9: it answers the time of the event `since`, and what comes after it: one event at least, if there is any", async () => {
    await fc.assert(
      fc.asyncProperty(logs, pages, async (texts, page) => {
        const log = logOf(texts);
        const query = { ...RUN, ...page, withTime: true };
        const result = await readAfter(async (asked) => answer(log, asked), query);
        expect(isPageOf(log, page, result?.events)).toBe(true);
        expect(result?.timeAtSinceMs).toBe(timeAt(log, page));
        expect(result?.run.lastSequence).toBe(log.length);
      }),
      { numRuns: 1_000 },
    );
  });

  it("W46: if the log loses its end between two reads, the time and the events are of one log", async () => {
    await fc.assert(
      fc.asyncProperty(logs, logs, fc.nat(8), pages, fc.nat(3), async (...given) => {
        const [texts, others, kept, page, lostAfter] = given;
        const before = logOf(texts);
        const lost = before.slice(0, kept);
        const now = [...lost, ...logOf(others, 9_000, lost.length)];
        const query = { ...RUN, ...page, withTime: true };
        let reads = 0;
        const result = await readAfter(
          async (asked) => answer((reads += 1) > lostAfter ? now : before, asked),
          query,
        );
        // Without a time nothing of the answer is used.
        if (page.since > 0 && result?.timeAtSinceMs === null) return;
        const isOf = (log: readonly StoredEvent[]): boolean =>
          timeAt(log, page) === result?.timeAtSinceMs && isPageOf(log, page, result.events);
        expect(isOf(before) || isOf(now)).toBe(true);
      }),
      { numRuns: 3_000 },
    );
  });

  it("W4: a run that does not exist has no page, even if it is removed between two reads", async () => {
    const log = logOf(["x".repeat(90), "0"]);
    for (const most of [0, 1, 2]) {
      let reads = 0;
      const read = async (query: ReadQuery): Promise<ReadResult | null> =>
        (reads += 1) > most ? null : answer(log, query);
      const query = { ...RUN, since: 1, limit: 5, maxBytes: 300, withTime: true };
      expect(await readAfter(read, query)).toBeNull();
    }
  });
});
