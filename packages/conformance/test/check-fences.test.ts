import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkHistory } from "../src/history/check-history.ts";
import type { History, LeaseOperation, Operation } from "../src/history/operation.ts";
import { leasePlan, playLeases } from "./simulated-leases.ts";

/** One thing about a history that may not be so; `null` where it cannot be changed. */
type Lie = (operations: readonly Operation[], pick: number) => readonly Operation[] | null;

/** Changes one of the calls that the lie is about. */
function changeOne(
  isAbout: (operation: Operation, all: readonly Operation[]) => boolean,
  change: (operation: Operation, all: readonly Operation[]) => Operation,
): Lie {
  return (operations, pick) => {
    const chosen = operations.filter((one) => isAbout(one, operations));
    const target = chosen[pick % chosen.length];
    if (target === undefined) return null;
    return operations.map((one) => (one === target ? change(one, operations) : one));
  };
}

function isGranted(one: Operation): one is LeaseOperation {
  return one.kind === "lease" && one.result.outcome === "granted";
}

function answered(one: Operation, result: LeaseOperation["result"]): Operation {
  return one.kind === "lease" ? { ...one, result } : one;
}

/** The last fence before this one; `null` if there was none. */
function fenceBefore(all: readonly Operation[], fence: number): number | null {
  const given = all.flatMap((one) =>
    isGranted(one) && one.asks === "claim" && one.result.outcome === "granted"
      ? [one.result.fence]
      : [],
  );
  const before = given.filter((one) => one < fence);
  return before.length === 0 ? null : Math.max(...before);
}

function grantedFence(one: Operation): number {
  return one.kind === "lease" && one.result.outcome === "granted" ? one.result.fence : 0;
}

const LIES: Readonly<Record<string, Lie>> = {
  "a fence that was given before": changeOne(
    (one, all) =>
      isGranted(one) && one.asks === "claim" && fenceBefore(all, grantedFence(one)) !== null,
    (one, all) =>
      isGranted(one) && one.result.outcome === "granted"
        ? answered(one, { ...one.result, fence: fenceBefore(all, one.result.fence) ?? 0 })
        : one,
  ),
  "a claim granted that was refused": changeOne(
    (one) => one.kind === "lease" && one.result.outcome === "claimed",
    (one) => answered(one, { outcome: "granted", fence: Number.MAX_SAFE_INTEGER, lastSequence: 0 }),
  ),
  "a claim refused that was the first": changeOne(
    (one, all) => one === all.find(({ kind }) => kind === "lease") && isGranted(one),
    (one) => answered(one, { outcome: "claimed" }),
  ),
  "a renewal or release granted that was refused": changeOne(
    (one) => one.kind === "lease" && one.result.outcome === "fenced",
    (one) => answered(one, { outcome: "granted", fence: 1, lastSequence: 0 }),
  ),
  "a renewal refused that was granted": changeOne(
    (one) => isGranted(one) && one.asks === "renew",
    (one) => answered(one, { outcome: "fenced" }),
  ),
  "an append of an older fence": changeOne(
    (one, all) =>
      one.kind === "append" &&
      one.result.outcome === "appended" &&
      fenceBefore(all, one.fence ?? 0) !== null,
    (one, all) =>
      one.kind === "append" ? { ...one, fence: fenceBefore(all, one.fence ?? 0) } : one,
  ),
  "an append without a fence": changeOne(
    (one) => one.kind === "append" && one.result.outcome === "appended" && one.fence !== null,
    (one) => (one.kind === "append" ? { ...one, fence: null } : one),
  ),
};

describe("checkFences", () => {
  it("finds nothing in a history that can have happened", async () => {
    await fc.assert(
      fc.asyncProperty(leasePlan, async (plan) => {
        expect(checkHistory(await playLeases(plan))).toBeNull();
      }),
      { numRuns: 2_000 },
    );
  });

  it.each(Object.entries(LIES))("finds %s", async (_name, lie) => {
    let lies = 0;
    let found = 0;
    await fc.assert(
      fc.asyncProperty(leasePlan, fc.nat(9), async (plan, pick) => {
        const history = await playLeases(plan);
        const operations = lie(history.operations, pick);
        if (operations === null) return;
        lies += 1;
        const violation = checkHistory({ ...history, operations } satisfies History);
        if (violation !== null) found += 1;
        // Some are no lies: calls that were under way at once can have happened in another order.
        if (violation !== null) expect(["S21", "S5"]).toContain(violation.clause);
      }),
      { numRuns: 1_000 },
    );
    expect(found).toBeGreaterThan(lies / 50);
  });
});
