import { createPageCut, eventBytes, type StoredEvent } from "@tm/run-events-core/store";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DRIVERS } from "./drivers.ts";
import { appendOf, createOf, queryOf, readLog } from "@tm/run-events-test-servers/requests";
import { openStore } from "./stores.ts";

/** Sizes around that of a page of the file, small ones, and one too large for a page of 48 KiB. */
const length = fc.constantFrom(0, 10, 200, 1_000, 4_092, 4_093, 4_094, 4_095, 5_000, 60_000);
const payload = fc
  .tuple(fc.constantFrom("x", "é", "\u2028", "😀"), length)
  .map(([unit, count]) => unit.repeat(Math.floor(count / Buffer.byteLength(unit))));
/** Long stretches of one size. */
const payloads = fc
  .array(fc.tuple(payload, fc.constantFrom(1, 2, 20, 60)), { minLength: 1, maxLength: 8 })
  .map((stretches) => stretches.flatMap(([text, times]) => Array<string>(times).fill(text)));
const query = fc.record({
  since: fc.nat({ max: 200 }),
  limit: fc.oneof(fc.integer({ min: 1, max: 70 }), fc.constant(1_000)),
  maxBytes: fc.oneof(
    fc.constantFrom(1, eventBytes(4_096), 49_152, 196_608, 4_194_304),
    fc.integer({ min: 1, max: 300_000 }),
  ),
});

describe.each(DRIVERS)("a page of the SQLite store on $name", (driver) => {
  it("S9: a page ends exactly where the rule ends it, with events of any size", async () => {
    const { store } = await openStore(driver, ":memory:");
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(payloads, fc.array(query, { minLength: 1 }), async (texts, queries) => {
        const runId = `run-${++runs}`;
        await store.createRun(createOf(runId));
        await store.append(texts.map((text) => appendOf(runId, text)));
        const log = await readLog(store, runId);
        expect(log.map((event): unknown => JSON.parse(event.payload))).toStrictEqual(texts);
        const pages = await store.read(queries.map((one) => queryOf(runId, one)));
        queries.forEach(({ since, limit, maxBytes }, index) => {
          const belongs = createPageCut(limit, maxBytes);
          const rest = log.slice(since);
          const cut = rest.findIndex((event) => !belongs(Buffer.byteLength(event.payload)));
          const expected: readonly StoredEvent[] = cut === -1 ? rest : rest.slice(0, cut);
          expect(pages[index]?.events).toStrictEqual(expected);
        });
      }),
      { numRuns: 60 },
    );
  });
});
