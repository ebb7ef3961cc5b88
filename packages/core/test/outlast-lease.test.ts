import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { RunEventsError, runFenced } from "../src/rules/errors.ts";
import { holdLease } from "../src/work/hold-lease.ts";
import { recordRenewals, type SentRenewals } from "./sent-renewals.ts";

const LEASE_MS = 12_000;

interface Bench extends SentRenewals {
  readonly lost: unknown[];
  readonly stop: () => void;
}

/** A lease whose claim took so long. Times are from its sending. */
function createBench(leaseMs = LEASE_MS, claimMs = 0): Bench {
  const sent = recordRenewals(claimMs);
  const lost: unknown[] = [];
  const lease = holdLease({
    ...sent,
    leaseMs,
    outlasts: true,
    onLost(refusal) {
      lost.push(refusal);
      lease.stop();
    },
  });
  return { ...sent, lost, stop: lease.stop };
}

function away(): RunEventsError {
  return new RunEventsError("store_unavailable", "The server is away.");
}

describe("a lease that is outlasted", () => {
  it("W31: an expired lease is renewed when the server is back, and kept from then on, until it is refused", async () => {
    const { clock, renewals, lost, pass } = createBench();
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

  it.each([
    [1_000, 250],
    [3_000, 250],
    [30_000, 2_500],
    [60_000, 5_000],
    [3_600_000, 5_000],
  ])(
    "W31: an expired lease of %i ms is tried each %i ms, one at a time",
    async (leaseMs, lateMs) => {
      const { clock, renewals, lost, stop, pass } = createBench(leaseMs, leaseMs);
      await pass(1);
      for (let tries = 1; tries < 4; tries++) {
        await pass(10 * lateMs);
        expect(renewals).toHaveLength(tries);
        renewals.at(-1)?.answer.reject(away());
        await pass(lateMs - 1);
        expect(renewals).toHaveLength(tries);
        await pass(1);
        expect(renewals).toHaveLength(tries + 1);
      }
      stop();
      renewals.at(-1)?.answer.resolve("late");
      await pass(10 * lateMs);
      expect([renewals.length, clock.timers(), lost]).toStrictEqual([4, 0, []]);
    },
  );

  it("W32: a lease that is refused after it expired is lost, once", async () => {
    const { clock, renewals, lost, pass } = createBench(LEASE_MS, LEASE_MS);
    await pass(1);
    const refusal = runFenced();
    renewals.at(-1)?.answer.reject(refusal);
    await pass(60_000);
    expect([lost, renewals.length, clock.timers()]).toStrictEqual([[refusal], 1, 0]);
  });

  it.each([0, LEASE_MS])(
    "one that is given up is renewed no more, and that is no loss, %i ms after the claim was sent",
    async (claimMs) => {
      const { clock, renewals, lost, stop, pass } = createBench(LEASE_MS, claimMs);
      await pass(4_000);
      renewals.at(-1)?.answer.reject(away());
      stop();
      const { length } = renewals;
      await pass(60_000);
      expect([lost, renewals.length, clock.timers()]).toStrictEqual([[], length, 0]);
    },
  );
});
