import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RunEventsError, runFenced } from "../src/rules/errors.ts";
import { type HeldLease, holdLease } from "../src/work/hold-lease.ts";
import { recordRenewals, type SentRenewals } from "./sent-renewals.ts";

const LEASE_MS = 12_000;

interface Bench extends SentRenewals {
  readonly lease: HeldLease;
  readonly lost: unknown[];
}

/** A lease of 12 s whose claim took so long. Times are from its sending. */
function createBench(claimMs = 0, outlasts = false): Bench {
  const sent = recordRenewals(claimMs);
  const lost: unknown[] = [];
  const lease = holdLease({
    ...sent,
    leaseMs: LEASE_MS,
    outlasts,
    onLost(refusal) {
      lost.push(refusal);
      lease.stop();
    },
  });
  return { ...sent, lease, lost };
}

function away(): RunEventsError {
  return new RunEventsError("store_unavailable", "The store is away.");
}

describe("holdLease", () => {
  it.each([
    ["a store that is away", away()],
    ["a session that has ended", new RunEventsError("unauthenticated", "m")],
    ["what no store should throw", new TypeError("broken")],
  ])(
    "W31: after any other failure a renewal is tried each twelfth, and the lease stays if it passes in time: %s",
    async (_, error) => {
      const { lease, renewals, lost, pass } = createBench();
      await pass(4_000);
      for (let tries = 0; tries < 7; tries++) {
        renewals.at(-1)?.answer.reject(error);
        await pass(1_000);
      }
      expect(renewals.map(({ atMs }) => atMs)).toStrictEqual([
        4_000, 5_000, 6_000, 7_000, 8_000, 9_000, 10_000, 11_000,
      ]);
      renewals.at(-1)?.answer.resolve("renewed");
      await pass(11_999);
      expect([lost, lease.isOver()]).toStrictEqual([[], false]);
      await pass(1);
      expect(lost).toStrictEqual([null]);
    },
  );

  it("after stop onLost is not called and no timer remains, even if answers still come", async () => {
    const { clock, lease, renewals, lost, pass } = createBench();
    await pass(4_000);
    lease.stop();
    lease.stop();
    renewals[0]?.answer.reject(runFenced());
    await pass(60_000);
    expect([lost, renewals.length, clock.timers()]).toStrictEqual([[], 1, 0]);
  });

  /** By how many milliseconds, or which renewal. */
  const step = fc.record({
    do: fc.constantFrom("pass", "pass", "stall", "answer", "answer", "away"),
    by: fc.integer({ min: 1, max: 6_000 }),
  });

  it("W31: a lease is held for as long as the store has granted it from the sending of a call, to the millisecond", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.nat(6_000), async (steps, claimMs) => {
        const { clock, lease, renewals, lost, sentAtMs: start } = createBench(claimMs);
        const settled = new Set<number>();
        let endsAtMs = start + LEASE_MS;
        let isLost = false;
        for (const one of steps) {
          if (one.do === "stall") clock.skip(one.by);
          else if (one.do === "pass") {
            clock.advance(one.by);
            isLost ||= clock.now() >= endsAtMs;
          } else {
            // Mostly the newest.
            const at = renewals.length - 1 - Math.floor(one.by / 4_000);
            const renewal = renewals[at];
            if (renewal === undefined || settled.has(at)) continue;
            settled.add(at);
            if (one.do === "away") renewal.answer.reject(away());
            else {
              renewal.answer.resolve("renewed");
              endsAtMs = Math.max(endsAtMs, start + renewal.atMs + LEASE_MS);
            }
          }
          await setImmediate();
          expect([lost, clock.timers()]).toStrictEqual(isLost ? [[null], 0] : [[], 1]);
          if (!isLost) expect(lease.isOver()).toBe(clock.now() >= endsAtMs);
        }
        // It asks when it should, and not more often than each twelfth.
        const passedMs = clock.now() - start;
        expect(renewals.length).toBeLessThanOrEqual(passedMs / (LEASE_MS / 12) + 1);
        lease.stop();
        expect(clock.timers()).toBe(0);
      }),
      { numRuns: 300 },
    );
  });
});

describe("a lease that is outlasted", () => {
  it("W31: an expired lease is renewed when the server is back, and kept from then on, until it is refused", async () => {
    const { clock, renewals, lost, pass } = createBench(0, true);
    for (let atMs = 0; atMs < 5 * LEASE_MS; atMs += 1_000) {
      await pass(1_000);
      renewals.at(-1)?.answer.reject(away());
    }
    expect(renewals.filter(({ atMs }) => atMs > LEASE_MS).length).toBeGreaterThan(40);
    await pass(1_000);
    renewals.at(-1)?.answer.resolve("renewed");
    await setImmediate();
    const { length } = renewals;
    await pass(3_999);
    expect(renewals).toHaveLength(length);
    await pass(1);
    expect(renewals).toHaveLength(length + 1);
    const refusal = runFenced();
    renewals.at(-1)?.answer.reject(refusal);
    await pass(60_000);
    expect([lost, renewals.length, clock.timers()]).toStrictEqual([[refusal], length + 1, 0]);
  });

  it("W32: a lease that is refused after it expired is lost, once", async () => {
    const { clock, renewals, lost, pass } = createBench(LEASE_MS, true);
    await pass(1);
    const refusal = runFenced();
    renewals.at(-1)?.answer.reject(refusal);
    await pass(60_000);
    expect([lost, renewals.length, clock.timers()]).toStrictEqual([[refusal], 1, 0]);
  });
});
