import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Pages } from "../src/follow/pages.ts";
import { type Position, type Slice, SLICE_BYTES } from "../src/follow/slice.ts";
import type { StoredEvent } from "../src/rules/event.ts";
import { utf8Bytes } from "../src/rules/json-text.ts";
import { planEvents } from "../src/rules/lifecycle.ts";
import { createPageCut } from "../src/rules/page.ts";
import { encodeRunEvents } from "../src/wire/frame.ts";
import { rounds } from "./rounds.ts";
import { batches } from "./run-draft.ts";
import { runRecord, storedEvent } from "./run-record.ts";

interface Bench {
  readonly pages: Pages;
  /** Where the reads began, in order. */
  readonly reads: readonly number[];
}

/** Pages over a log that has ended or does not change. */
function createBench(log: readonly StoredEvent[]): Bench {
  const reads: number[] = [];
  const pages = new Pages(async ({ sequence: since }) => {
    reads.push(since);
    const belongs = createPageCut(1_000, SLICE_BYTES);
    const rest = log.slice(since);
    const cut = rest.findIndex(({ payload }) => !belongs(utf8Bytes(payload)));
    return {
      run: runRecord({ lastSequence: log.length }),
      events: cut === -1 ? rest : rest.slice(0, cut),
    };
  });
  return { pages, reads };
}

function positionAt(log: readonly StoredEvent[], sequence: number): Position {
  return { sequence, atMs: log[sequence - 1]?.createdAtMs ?? 0 };
}

async function next(pages: Pages, position: Position): Promise<Slice> {
  const slice = await pages.next(position);
  expect(slice).not.toBeNull();
  return slice as Slice;
}

async function readOn(pages: Pages, from: Position, last: number): Promise<readonly Slice[]> {
  const slices: Slice[] = [];
  for (let position = from; position.sequence < last;) {
    const slice = await next(pages, position);
    slices.push(slice);
    position = slice.to;
  }
  return slices;
}

/** Events of about this many bytes a slice. */
function logOf(events: number, sliceEvents: number): readonly StoredEvent[] {
  const payload = JSON.stringify("x".repeat(Math.floor(SLICE_BYTES / sliceEvents) - 230));
  return Array.from({ length: events }, (_, index) =>
    storedEvent({ sequence: index + 1, payload }),
  );
}

const LIMITS = { maxPayloadBytes: 300_000, maxBatchEvents: 1_000 };
const size = fc.constantFrom(1, 100, 3_000, 20_000, 60_000);
const text = fc.tuple(fc.constantFrom("x", "é", "\u2028", "😀"), size);
const logs: fc.Arbitrary<readonly StoredEvent[]> = fc
  .tuple(
    batches("either"),
    fc.array(
      text.map(([unit, count]) => JSON.stringify(unit.repeat(count))),
      { maxLength: 40 },
    ),
  )
  .map(([drafts, payloads]) =>
    [
      ...payloads.map((payload) => ({ eventType: "TOKEN", payload })),
      ...drafts.flatMap((batch) => planEvents(batch, LIMITS)),
    ].map(({ eventType, payload }, at) => storedEvent({ sequence: at + 1, eventType, payload })),
  );

describe("the pages of a log", () => {
  it("W22, W25: pages give any number of readers, in any order, every event once and in order, in slices that fit", async () => {
    const readers = fc.array(fc.nat(), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(logs, readers, fc.infiniteStream(fc.nat()), async (log, starts, turns) => {
        const { pages } = createBench(log);
        const all = starts.map((start) => {
          const position = positionAt(log, start % (log.length + 1));
          return { position, expected: log.slice(position.sequence), had: [] as StoredEvent[] };
        });
        for (;;) {
          const open = all.filter(({ position }) => position.sequence < log.length);
          if (open.length === 0) break;
          const { value: turn = 0 } = turns.next();
          const reader = open[turn % open.length];
          if (reader === undefined) break;
          const slice = await next(pages, reader.position);
          const bytes = slice.events.map((one) => encodeRunEvents([one])).join("");
          if (slice.events.length > 1) expect(utf8Bytes(bytes)).toBeLessThanOrEqual(SLICE_BYTES);
          reader.had.push(...slice.events);
          reader.position = slice.to;
          expect(slice.to).toStrictEqual(positionAt(log, slice.to.sequence));
        }
        for (const { had, expected } of all) expect(had).toStrictEqual(expected);
      }),
      { numRuns: rounds(150) },
    );
  });

  it("S12: readers that are at one position at once share a read, and the slice with its bytes", async () => {
    const log = logOf(80, 10);
    const { pages, reads } = createBench(log);
    const from = positionAt(log, 0);
    const [one, other] = await Promise.all([readOn(pages, from, 80), readOn(pages, from, 80)]);
    expect(new Set([...one, ...other]).size).toBe(8);
    expect(one[0]?.bytes(null)).toBe(other[0]?.bytes(null));
    expect(reads.length).toBe(8);
  });

  it("W46: readers whose last events have other times share no read", async () => {
    const log = logOf(20, 10);
    const pages = new Pages(async ({ sequence, atMs }) => {
      if (atMs !== log[sequence - 1]?.createdAtMs) throw new Error("another history");
      return { run: runRecord({ lastSequence: log.length }), events: log.slice(sequence) };
    });
    const from = positionAt(log, 10);
    const [right, other] = [pages.next(from), pages.next({ ...from, atMs: from.atMs + 1 })];
    await expect(other).rejects.toThrow("another history");
    expect((await right)?.events[0]?.sequence).toBe(11);
  });

  it("S20: a read that fails fails all readers that wait for it, and a later reader reads again", async () => {
    const log = logOf(10, 10);
    let failures = 1;
    const pages = new Pages(({ sequence }) => {
      if (failures-- > 0) return Promise.reject(new Error("no"));
      return Promise.resolve({
        run: runRecord({ lastSequence: log.length }),
        events: log.slice(sequence),
      });
    });
    const from = positionAt(log, 0);
    const waiting = [pages.next(from), pages.next(from)];
    for (const one of waiting) await expect(one).rejects.toThrow("no");
    expect((await next(pages, from)).events).toStrictEqual(log);
  });
});
