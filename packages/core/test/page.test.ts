import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRunLog } from "../src/log/create-run-log.ts";
import type { RunLog } from "../src/log/run-log.ts";
import type { EventDraft, StoredEvent } from "../src/rules/event.ts";
import {
  foldEvent,
  INITIAL_STATE,
  INPUT_RECEIVED,
  INPUT_REQUESTED,
  isTerminal,
  type RunState,
} from "../src/rules/lifecycle.ts";
import {
  createPageCut,
  EVENT_ENVELOPE_BYTES,
  eventBytes,
  type LogPage,
} from "../src/rules/page.ts";
import { shownState } from "../src/rules/shown-state.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import { encodeRunEvents } from "../src/wire/frame.ts";
import { ADA } from "./adas-runs.ts";
import { batches } from "./run-draft.ts";
import { storedEvent } from "./run-record.ts";

const INPUTS: ReadonlySet<string> = new Set([INPUT_REQUESTED, INPUT_RECEIVED]);

function foldOf(events: readonly StoredEvent[]): RunState {
  return events.reduce<RunState>(foldEvent, INITIAL_STATE);
}

async function append(log: RunLog, drafts: readonly EventDraft[]): Promise<void> {
  const [first] = drafts;
  if (first?.eventType === INPUT_RECEIVED) await log.input("r", first.payload, ADA);
  else await log.append("r", drafts, ADA);
}

async function pageAfter(
  log: RunLog,
  since: number,
  limit: number,
  maxBytes: number,
): Promise<LogPage> {
  const { run: _, ...page } = await log.readPage("r", { ...ADA, since, limit, maxBytes });
  return page;
}

/** The question that the last of these events leaves open. */
function openQuestionOf(events: readonly StoredEvent[]): StoredEvent | undefined {
  const last = events.findLast(({ eventType }) => INPUTS.has(eventType));
  return last?.eventType === INPUT_REQUESTED ? last : undefined;
}

describe("planPage", () => {
  const size = fc.record({
    limit: fc.integer({ min: 1, max: 7 }),
    maxBytes: fc.oneof(fc.integer({ min: 1, max: 2_000 }), fc.constant(1_000_000)),
  });
  const race = fc.infiniteStream(fc.nat({ max: 2 }));

  it("W16: a loop that passes on the highest sequence and stops at a terminal status has every event once, at any size, under any race", async () => {
    await fc.assert(
      fc.asyncProperty(
        batches("finished", "with inputs"),
        fc.infiniteStream(size),
        race,
        async (all, sizes, races) => {
          const log = createRunLog({ store: createMemoryStore() });
          await log.createRun({ ...ADA, runId: "r" });
          const left = [...all];
          const seen: StoredEvent[] = [];
          for (;;) {
            for (let count = races.next().value as number; count > 0; count--) {
              const batch = left.shift();
              if (batch !== undefined) await append(log, batch);
            }
            const { limit, maxBytes } = sizes.next().value as { limit: number; maxBytes: number };
            const page = await pageAfter(log, seen.length, limit, maxBytes);
            const whole = (await pageAfter(log, 0, 1_000, 1_000_000)).events;
            seen.push(...page.events);
            const { lastSequence } = page;
            const head = { ...foldOf(whole), lastSequence };
            expect(page).toStrictEqual({
              ...shownState(head, seen.length),
              events: page.events,
              lastSequence: whole.length,
              hasMore: seen.length < whole.length,
            });
            expect(page.events.length > 0 || !page.hasMore).toBe(true);
            // A waiting run shows its open question: no later event has answered it.
            if (page.runStatus === "waiting") {
              expect(openQuestionOf(seen)).toStrictEqual(openQuestionOf(whole));
              expect(openQuestionOf(seen)).toBeDefined();
            }
            if (isTerminal(page.runStatus)) break;
          }
          expect(seen.map((event) => event.eventType)).toStrictEqual(
            all.flat().map((draft) => draft.eventType),
          );
          expect(seen.map((event) => event.sequence)).toStrictEqual(seen.map((_, at) => at + 1));
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe("createPageCut", () => {
  const payloads = fc.array(fc.nat({ max: 400 }), { minLength: 1, maxLength: 30 });

  it("S9: a page is cut by both bounds, and never to nothing", () => {
    const limit = fc.integer({ min: 1, max: 40 });
    fc.assert(
      fc.property(payloads, limit, fc.nat({ max: 5_000 }), (sizes, most, maxBytes) => {
        const belongs = createPageCut(most, maxBytes);
        const answers = sizes.map((bytes) => belongs(bytes));
        // After the first no, every answer is no.
        expect(answers).toStrictEqual(answers.toSorted((a, b) => Number(b) - Number(a)));
        const kept = answers.filter(Boolean).length;
        const total = (count: number): number =>
          sizes.slice(0, count).reduce((sum, bytes) => sum + eventBytes(bytes), 0);
        expect(kept).toBeGreaterThanOrEqual(1);
        expect(kept).toBeLessThanOrEqual(most);
        if (kept > 1) expect(total(kept)).toBeLessThanOrEqual(maxBytes);
        if (kept < sizes.length && kept < most) expect(total(kept + 1)).toBeGreaterThan(maxBytes);
      }),
      { numRuns: 500 },
    );
  });

  it("S9, W25: an event counts for at least the bytes of its frame", () => {
    const event = storedEvent({
      sequence: 999_999_999_999_999,
      eventType: "X".repeat(64),
      payload: '"x"',
      createdAtMs: 253_402_300_799_999,
    });
    expect(encodeRunEvents([event]).length).toBeLessThanOrEqual(eventBytes(3));
    expect(eventBytes(0)).toBe(EVENT_ENVELOPE_BYTES);
  });
});
