import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Appender } from "../src/rules/append.ts";
import { isFenced, type Lease, leaseAfter } from "../src/rules/lease.ts";
import type { StatusChange } from "../src/rules/event.ts";
import { appender, lease } from "./run-draft.ts";
import { runRecord } from "./run-record.ts";

describe("isFenced", () => {
  it("W32: the worker of a lease may write, even if it has expired", () => {
    fc.assert(
      fc.property(lease, (one) => {
        const by: Appender = { by: "worker", fence: one.fence };
        expect(isFenced(runRecord(one), by)).toBe(one.leaseExpiresAtMs === null);
      }),
    );
  });

  it("W32: at most one fence may write, and while it may, no append without a fence lands", () => {
    fc.assert(
      fc.property(lease, (one) => {
        const writers = [0, 1, 2, 3, 4, 5].filter(
          (fence) => !isFenced(runRecord(one), { by: "worker", fence }),
        );
        const isFree = !isFenced(runRecord(one), { by: "anybody" });
        expect(writers.length + Number(isFree)).toBe(1);
      }),
    );
  });
});

describe("leaseAfter", () => {
  const change = fc.constantFrom<StatusChange>("started", "waiting", "failed", "cancelled");

  it("W31, W32: the fence never falls, and a fence that may not write now may not after the append", () => {
    fc.assert(
      fc.property(lease, appender, change, (one, by, does) => {
        fc.pre(!isFenced(runRecord(one), by));
        const after = leaseAfter(one, { appender: by, change: does });
        expect(after.fence).toBeGreaterThanOrEqual(one.fence);
        for (const fence of [0, 1, 2, 3, 4, 5]) {
          const worker: Appender = { by: "worker", fence };
          if (isFenced(runRecord(one), worker))
            expect(isFenced(runRecord(after), worker)).toBe(true);
        }
      }),
    );
  });

  it("W32, W44: a worker's append keeps its lease, unless it ends the run", () => {
    const one: Lease = { fence: 3, leaseExpiresAtMs: 7, worker: "w-1" };
    const by: Appender = { by: "worker", fence: 3 };
    expect(leaseAfter(one, { appender: by, change: "started" })).toStrictEqual(one);
    expect(leaseAfter(one, { appender: by, change: "failed" })).toStrictEqual({
      fence: 3,
      leaseExpiresAtMs: null,
      worker: null,
    });
  });

  it("W32, W44: an owner's append takes the next fence and ends the lease", () => {
    for (const does of ["started", "cancelled"] as const) {
      const one = { fence: 3, leaseExpiresAtMs: 7, worker: "w-1" };
      const after = leaseAfter(one, { appender: { by: "owner" }, change: does });
      expect(after).toStrictEqual({ fence: 4, leaseExpiresAtMs: null, worker: null });
    }
  });
});
