import { type Head, nameKey, type Plain } from "@tm/run-events-core/store";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { headAfterPlain, landingOf, takesPlain } from "../../core/src/rules/append-rule.ts";
import { type PlainRun, planPlains } from "../src/plan-plains.ts";
import { HEAD } from "./heads.ts";

const LEASE_MS = 60_000;
const NOW_MS = 1_000_000;

// Their order by language differs from that by code unit.
const names = fc.record({
  ownerId: fc.constantFrom("ada", "bob"),
  runId: fc.constantFrom("a", "B", "_c", "-d"),
});
const phase = fc.constantFrom(null, null, null, '"plan"', '"write"');
const event = fc.record({
  eventType: fc.constantFrom("TOKEN", "LOG_LINE"),
  payload: fc.json(),
  phase,
});
const plain: fc.Arbitrary<Plain> = fc
  .record({
    name: names,
    events: fc.array(event, { maxLength: 3 }),
    fence: fc.constantFrom(null, null, 1, 2),
    leaseMs: fc.constantFrom(null, null, LEASE_MS, LEASE_MS / 2),
    expectedSequence: fc.constantFrom(null, null, null, 0, 1, 2),
    idempotencyKey: fc.constantFrom(null, "k1", "k2"),
  })
  .map(({ name, idempotencyKey, ...rest }) => ({
    ...name,
    ...rest,
    // Only a worker renews.
    leaseMs: rest.fence === null ? null : rest.leaseMs,
    // A renewal has no events, and no key.
    idempotencyKey: rest.events.length === 0 ? null : idempotencyKey,
  }));
const plains = fc.array(plain, { maxLength: 20 });

/** A head that may take such a plain. */
const head: fc.Arbitrary<Head> = fc
  .record({
    runStatus: fc.constantFrom("running" as const, "waiting" as const, "queued" as const),
    phase,
    lastSequence: fc.constantFrom(0, 1, Number.MAX_SAFE_INTEGER - 3),
    updatedAtMs: fc.constantFrom(1, NOW_MS * 2),
    fence: fc.constantFrom(1, 2),
    leaseExpiresAtMs: fc.constantFrom(null, 5),
    dueMs: fc.constantFrom(1, NOW_MS + LEASE_MS / 2 + 1),
  })
  .map((columns) => ({ ...HEAD, ...columns }));

/** Whether a run's statement takes its plains, as one plain of all their events. */
function asOne({ ownerId, runId, fence, expectedSequence, leaseMs, events }: PlainRun): Plain {
  return { ownerId, runId, fence, expectedSequence, leaseMs, events, idempotencyKey: null };
}

describe("what one statement appends", () => {
  it("S5: it takes what the rules take one after the other, all or nothing, and leaves the same head", () => {
    fc.assert(
      fc.property(plains, head, (all, before) => {
        for (const run of planPlains(all)) {
          const { ownerId, runId, indexes } = run;
          const from: Head = { ...before, ownerId, runId };
          const one = asOne(run);
          if (!takesPlain(from, one, NOW_MS)) continue;
          const after = headAfterPlain(from, one, NOW_MS);
          let at = from;
          for (const index of indexes) {
            const next = all[index];
            if (next === undefined) throw new TypeError("Expected an index of the call.");
            expect(takesPlain(at, next, NOW_MS)).toBe(true);
            at = headAfterPlain(at, next, NOW_MS);
            const { runStatus, leaseExpiresAtMs } = landingOf(at, next);
            expect({ runStatus, phase: at.phase }).toEqual({ runStatus, phase: after.phase });
            // The first one's answer has the last one's lease.
            if (next.leaseMs !== null) expect(leaseExpiresAtMs).toBe(after.leaseExpiresAtMs);
          }
          expect({ ...at, revision: after.revision }).toEqual(after);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it("S2: of a run, it takes the first ones in their order, and each once", () => {
    fc.assert(
      fc.property(plains, (all) => {
        const runs = planPlains(all);
        for (const run of runs) {
          const own = all.flatMap((one, at) => (nameKey(one) === nameKey(run) ? [at] : []));
          expect(run.indexes.length).toBeGreaterThan(0);
          expect(run.indexes).toEqual(own.slice(0, run.indexes.length));
          const events = run.indexes.flatMap((at) => all[at]?.events ?? []);
          expect(run.events).toMatchObject(events);
          expect(run.events.flatMap(({ key }) => key ?? [])).toEqual(
            run.indexes.flatMap((at) => all[at]?.idempotencyKey ?? []),
          );
        }
        expect(runs.map(nameKey)).toEqual([...new Set(all.map(nameKey))].toSorted());
      }),
    );
  });

  it("S12: it takes all of a run whose appends have no condition, no phase and keys of their own", () => {
    fc.assert(
      fc.property(fc.array(names, { maxLength: 20 }), (all) => {
        const simple = all.map((name, at): Plain => ({
          ...name,
          events: [{ eventType: "TOKEN", payload: "1", phase: null }],
          fence: null,
          leaseMs: null,
          expectedSequence: null,
          idempotencyKey: `k${at}`,
        }));
        const taken = planPlains(simple).flatMap(({ indexes }) => indexes);
        expect(taken.toSorted((one, other) => one - other)).toEqual([...simple.keys()]);
      }),
    );
  });
});
