import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { areSteady, type Check, type SteadyChecks, addCheck } from "../src/upkeep/steady-checks.ts";

const CONFIRM_MS = 15_000;
const START = 1_780_000_000_000;

/** The states after checks with these gaps. A jump moves the store's clock, `null` is a check that fails. */
function checkOften(
  checks: readonly { readonly gapMs: number; readonly jumpMs?: number | null }[],
  confirmMs = CONFIRM_MS,
): readonly SteadyChecks[] {
  const states: SteadyChecks[] = [];
  let [atMs, jumpedMs] = [0, 0];
  for (const { gapMs, jumpMs = 0 } of checks) {
    atMs += gapMs;
    jumpedMs += jumpMs ?? 0;
    const storeMs = jumpMs === null ? null : START + atMs + jumpedMs;
    const check: Check = { atMs, storeMs, continues: false };
    states.push(addCheck(states.at(-1) ?? null, check, confirmMs));
  }
  return states;
}

const even = (gapMs: number, count: number): { readonly gapMs: number }[] =>
  Array.from({ length: count }, () => ({ gapMs }));

describe("addCheck", () => {
  const check = fc.record({
    gapMs: fc.nat({ max: 40_000 }),
    jumpMs: fc.oneof(
      { weight: 4, arbitrary: fc.integer({ min: -900, max: 900 }) },
      fc.integer({ min: -7_200_000, max: 7_200_000 }),
      fc.constant(null),
    ),
  });

  it("S23: checks are steady only after good ones, in time and by a clock that did not jump, for long enough", () => {
    fc.assert(
      fc.property(fc.array(check, { maxLength: 12 }), (checks) => {
        const states = checkOften(checks);
        for (const [at, state] of states.entries()) {
          if (!areSteady(state, CONFIRM_MS)) continue;
          let passedMs = 0;
          let from = at;
          for (; passedMs < CONFIRM_MS; from--) {
            const [here, before, earlier] = [checks[from], checks[from - 1], states[from - 2]];
            expect(from).toBeGreaterThan(0);
            expect(here?.jumpMs).not.toBeNull();
            expect(before?.jumpMs).not.toBeNull();
            expect(Math.abs(here?.jumpMs ?? 0)).toBeLessThanOrEqual(1_000 + 4);
            const learnedMs = earlier === undefined ? 0 : 2 * (before?.gapMs ?? 0);
            expect(here?.gapMs).toBeLessThanOrEqual(Math.max(CONFIRM_MS / 2, learnedMs));
            passedMs += Math.min(here?.gapMs ?? 0, CONFIRM_MS / 2);
          }
          expect(at - from).toBeGreaterThanOrEqual(2);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it("S23: after anything, checks are steady again within the stated bound, once nothing disturbs them", () => {
    fc.assert(
      fc.property(
        fc.array(check, { maxLength: 12 }),
        fc.integer({ min: 20, max: 90_000 }),
        fc.integer({ min: 1, max: 30_000 }),
        (checks, everyMs, confirmMs) => {
          const latestMs = Math.max(confirmMs + 3 * everyMs, 4 * everyMs);
          const states = checkOften(
            [...checks, ...even(everyMs, Math.floor(latestMs / everyMs))],
            confirmMs,
          );
          const last = states.at(-1);
          expect(last !== undefined && areSteady(last, confirmMs)).toBe(true);
        },
      ),
    );
  });

  it("S23: regular checks stay steady, though both clocks drift apart", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 20, max: 90_000 }),
        fc.integer({ min: -100, max: 100 }),
        (everyMs, ppm) => {
          const drifting = even(everyMs, 2_000).map((one) => ({
            ...one,
            jumpMs: (everyMs * ppm) / 1e6,
          }));
          const states = checkOften(drifting);
          const settled = Math.ceil(CONFIRM_MS / everyMs) + 4;
          expect(states.slice(settled).every((state) => areSteady(state, CONFIRM_MS))).toBe(true);
        },
      ),
      { numRuns: 20 },
    );
  });
});
