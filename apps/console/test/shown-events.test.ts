import type { RunEvent } from "@tm/run-events-core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRunDigest } from "../src/run-digest.ts";
import { createEventPicker, type EventFilter } from "../src/shown-events.ts";

const TYPES = ["LOG", "TOOL_CALLED", "TOOL_FAILED", "PHASE_STARTED"];

/** A run's log. */
const log: fc.Arbitrary<readonly RunEvent[]> = fc.array(fc.constantFrom(...TYPES)).map((types) =>
  types.map((eventType, index) => ({
    sequence: index + 1,
    eventType,
    payload: eventType === "PHASE_STARTED" ? { phase: `p${index}` } : null,
    createdAt: new Date(index * 1_000).toISOString(),
  })),
);

const filter: fc.Arbitrary<EventFilter> = fc.record({
  text: fc.constantFrom("", "tool", "LOG", "none"),
  types: fc.uniqueArray(fc.constantFrom(...TYPES)).map((types) => new Set(types)),
});

/** The lengths of the log at which a reader reads it. */
const lengths = fc.array(fc.nat(30));

/** The log at each of these lengths, then complete. */
function growing(events: readonly RunEvent[], at: readonly number[]): readonly RunEvent[][] {
  const lengths = at.map((length) => Math.min(length, events.length)).toSorted((a, b) => a - b);
  return [...lengths, events.length].map((length) => events.slice(0, length));
}

describe("the events that are shown", () => {
  it("the shown events are those of the filter, in order, however the run grows", () => {
    fc.assert(
      fc.property(log, filter, lengths, (events, chosen, at) => {
        const pick = createEventPicker(chosen);
        for (const part of growing(events, at)) {
          const expected = part.filter(
            ({ eventType }) =>
              (chosen.types.size === 0 || chosen.types.has(eventType)) &&
              eventType.toLowerCase().includes(chosen.text.toLowerCase()),
          );
          const shown = pick(part);
          const rows = Array.from({ length: shown.count }, (_, row) => shown.at(row));
          expect(rows).toEqual(expected);
          for (let sequence = 0; sequence <= part.length + 1; sequence += 1) {
            const row = expected.findIndex((event) => event.sequence >= sequence);
            expect(shown.rowOf(sequence)).toBe(row === -1 ? expected.length : row);
          }
        }
      }),
    );
  });

  it("the digest is the same, however the run grows", () => {
    fc.assert(
      fc.property(log, lengths, (events, at) => {
        const digestOf = createRunDigest();
        for (const part of growing(events, at)) digestOf(part);
        const { phases, typeCounts } = digestOf(events);
        const whole = createRunDigest()(events);
        expect({ phases, typeCounts }).toEqual(whole);
        expect([...typeCounts.values()].reduce((sum, count) => sum + count, 0)).toBe(events.length);
        const begun = events.filter(({ eventType }) => eventType === "PHASE_STARTED");
        expect(phases.map(({ sequence }) => sequence)).toEqual(
          begun.map(({ sequence }) => sequence),
        );
        // Each phase ends when the next begins, and the last one continues.
        expect(phases.map(({ endedAtMs }) => endedAtMs)).toEqual(
          phases.map((_, index) => phases[index + 1]?.startedAtMs ?? null),
        );
      }),
    );
  });
});
