import { RunEventsError } from "@tm/run-events-core";
import { expect, it } from "vitest";
import { keepLease, mostDelayMsOf } from "../src/keep-lease.ts";

const LEASE_MS = 60;
const AWAY = new RunEventsError("store_unavailable", "The server is away.");
const FENCED = new RunEventsError("fenced", "Another worker has the run.");

/**
 * Keeps a lease, and resolves with why it was lost.
 * @param renew is given how long ago the claim was sent
 */
async function lossOf(
  renew: (atMs: number) => void,
  signal: AbortSignal = new AbortController().signal,
): Promise<unknown> {
  const sentAtMs = performance.now();
  const { promise, resolve } = Promise.withResolvers<unknown>();
  keepLease({
    leaseMs: LEASE_MS,
    sentAtMs,
    signal,
    onLost: resolve,
    renew: async () => renew(performance.now() - sentAtMs),
  });
  return promise;
}

it("W31: a lease that has run out is renewed when the server is back, and kept from then on, until it is refused", async () => {
  let late = 0;
  let renewed = 0;
  const loss = await lossOf((atMs) => {
    if (atMs > LEASE_MS) late += 1;
    if (atMs <= 5 * LEASE_MS) throw AWAY;
    renewed += 1;
    if (renewed === 4) throw FENCED;
  });
  expect(loss).toBe(FENCED);
  expect(late).toBeGreaterThan(renewed);
});

it.each([
  ["before it has run out", 0],
  ["when it has run out", LEASE_MS],
])("a lease that is given up %s is renewed no more, and that is no loss", async (_, fromMs) => {
  const over = new AbortController();
  let count = 0;
  const { promise, resolve } = Promise.withResolvers<string>();
  const loss = lossOf((atMs) => {
    if (atMs > fromMs) {
      over.abort();
      resolve("given up");
    }
    count += 1;
    throw AWAY;
  }, over.signal);
  expect(await Promise.race([promise, loss])).toBe("given up");
  const before = count;
  // Meanwhile another one is renewed, beyond its end.
  const other = lossOf((atMs) => {
    throw atMs > 5 * LEASE_MS ? FENCED : AWAY;
  });
  expect(await Promise.race([loss, other])).toBe(FENCED);
  expect(count).toBe(before);
});

it("W31: behind an outage a lease is tried again within a twelfth of it, but 250 ms at least and 5 s at most", () => {
  expect([1_000, 3_000, 30_000, 60_000, 3_600_000].map(mostDelayMsOf)).toEqual([
    250, 250, 2_500, 5_000, 5_000,
  ]);
});
