import type { RunEventStore } from "@tm/run-events-core/store";
import { kitStore } from "../../../conformance/src/kit-store.ts";
import fc from "fast-check";
import { expect } from "vitest";
import { appendOf, createOf, endOf, oneTo, queryOf } from "./requests.ts";

const LAST = Number.MAX_SAFE_INTEGER;

/** Appends to one run in one call, which may also append to another run. */
const arbitraryCall = fc.record({
  requests: fc.array(
    fc.record({
      events: fc.integer({ min: 1, max: 4 }),
      ends: fc.constantFrom(true, false, false),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  withOther: fc.boolean(),
});

/**
 * Appends near the last sequence that a run can have. A run takes what fits below that sequence, keeps it for its end, and can always be
 * read.
 * @param put moves the only event of a run, and its head, to a sequence
 * @see clause S1 in `STORE.md`
 */
export async function expectRoomForTheEnd(
  inner: RunEventStore,
  put: (runId: string, sequence: number) => Promise<void>,
): Promise<void> {
  const store = kitStore(inner);
  await store.createRun(createOf("other"));
  const start = fc.integer({ min: LAST - 6, max: LAST - 1 });
  const law = fc.asyncProperty(start, fc.array(arbitraryCall), async (first, calls) => {
    const runId = crypto.randomUUID();
    await store.createRun(createOf(runId));
    await store.append([appendOf(runId)]);
    await put(runId, first);
    let last = first;
    let isLive = true;
    const expectedOf = (events: number, ends: boolean): object => {
      if (!isLive) return { outcome: "finished", runStatus: "completed", lastSequence: last };
      if (last + events > (ends ? LAST : LAST - 1))
        return { outcome: "sequence_conflict", lastSequence: last };
      last += events;
      isLive = !ends;
      return { outcome: "appended", firstSequence: last - events + 1, lastSequence: last };
    };
    // The last call ends the run if it is still live.
    const ending = { requests: [{ events: 1, ends: true }], withOther: false };
    for (const { requests, withOther } of [...calls, ending]) {
      const expected = requests.map(({ events, ends }) => expectedOf(events, ends));
      const appends = requests.map(({ events, ends }) => {
        const { events: lines } = appendOf(runId);
        const { events: end } = endOf(runId);
        const before = oneTo(ends ? events - 1 : events).flatMap(() => lines);
        return appendOf(runId, null, { events: ends ? [...before, ...end] : before });
      });
      const outcomes = await store.append([...appends, ...(withOther ? [appendOf("other")] : [])]);
      expect(outcomes).toMatchObject([
        ...expected,
        ...(withOther ? [{ outcome: "appended" }] : []),
      ]);
    }
    const [page] = await store.read([queryOf(runId, { since: first })]);
    expect(page?.run).toMatchObject({ lastSequence: last, runStatus: "completed" });
    expect(page?.events.map(({ sequence }) => sequence - first)).toEqual(oneTo(last - first));
  });
  await fc.assert(law, { numRuns: 50 });
}
