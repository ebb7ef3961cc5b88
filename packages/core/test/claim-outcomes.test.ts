import { describe, expect, it } from "vitest";
import { claimRun, type LeaseOutcome, releaseRun, renewLease } from "../src/rules/claims.ts";
import type { RunStatus } from "../src/rules/event.ts";
import { isFenced } from "../src/rules/lease.ts";
import { runRecord } from "./run-record.ts";

const ANY = { runId: "r", ownerId: null };

describe("claimRun, renewLease and releaseRun", () => {
  interface Situation {
    readonly exists: boolean;
    readonly asked: "anyone" | "owner" | "stranger";
    readonly runStatus: RunStatus;
    readonly lease: "none" | "held" | "run out";
    readonly fence: "right" | "stale";
  }
  const situations: readonly Situation[] = [true, false].flatMap((exists) =>
    (["anyone", "owner", "stranger"] as const).flatMap((asked) =>
      (["queued", "running", "completed", "failed", "cancelled"] as const).flatMap((runStatus) =>
        (["none", "held", "run out"] as const).flatMap((lease) =>
          (["right", "stale"] as const).map((fence) => ({
            exists,
            asked,
            runStatus,
            lease,
            fence,
          })),
        ),
      ),
    ),
  );

  /** The clauses as a table: the first row that fits decides. */
  function outcomeOf(call: "claim" | "renew" | "release", one: Situation): LeaseOutcome["outcome"] {
    if (!one.exists || one.asked === "stranger") return "not_found";
    if (one.runStatus !== "queued" && one.runStatus !== "running") return "finished";
    if (call === "claim") return one.lease === "held" ? "claimed" : "granted";
    if (one.fence === "stale") return "fenced";
    return call === "renew" && one.lease === "none" ? "fenced" : "granted";
  }

  it.each(["claim", "renew", "release"] as const)(
    "S21: %s judges every situation in the order of the list",
    (call) => {
      expect(situations).toHaveLength(2 * 3 * 5 * 3 * 2);
      for (const one of situations) {
        const leaseExpiresAtMs = { none: null, held: 2_001, "run out": 2_000 }[one.lease];
        const run = one.exists
          ? runRecord({ runStatus: one.runStatus, lastSequence: 7, fence: 3, leaseExpiresAtMs })
          : null;
        const request = {
          runId: "r",
          ownerId: { anyone: null, owner: "ada", stranger: "eve" }[one.asked],
          fence: one.fence === "right" ? 3 : 2,
          leaseMs: 500,
        };
        const outcome = {
          claim: () => claimRun(run, request, 2_000, null),
          renew: () => renewLease(run, request, 2_000),
          release: () => releaseRun(run, request, 2_000),
        }[call]();
        const isMoved =
          call === "release" && one.runStatus !== "queued" && leaseExpiresAtMs !== null;
        const expected = {
          granted: {
            run: {
              ...run,
              fence: call === "claim" ? 2_000_001 : 3,
              leaseExpiresAtMs: call === "release" ? null : 2_500,
              idleFromMs: isMoved ? 2_000 : 1_000,
            },
          },
          not_found: {},
          finished: { runStatus: one.runStatus, lastSequence: 7 },
          claimed: { leaseExpiresAtMs },
          fenced: {},
        };
        const name = outcomeOf(call, one);
        expect({ ...one, ...outcome }).toStrictEqual({ ...one, outcome: name, ...expected[name] });
      }
    },
  );

  it("S21: a lease ends at its very last millisecond, and can be renewed until another worker claims the run", () => {
    const run = runRecord({ fence: 1, leaseExpiresAtMs: 2_000 });
    const claim = { ...ANY, leaseMs: 10 };
    expect(claimRun(run, claim, 1_999, null)).toStrictEqual({
      outcome: "claimed",
      leaseExpiresAtMs: 2_000,
    });
    expect(renewLease(run, { ...claim, fence: 1 }, 9_000)).toMatchObject({ outcome: "granted" });
    const claimed = claimRun(run, claim, 2_000, null);
    expect(claimed).toMatchObject({ outcome: "granted", run: { fence: 2_000_001 } });
    if (claimed.outcome !== "granted") return;
    expect(renewLease(claimed.run, { ...claim, fence: 1 }, 2_000)).toStrictEqual({
      outcome: "fenced",
    });
    expect(isFenced(claimed.run, { by: "worker", fence: 1 }, 2_000)).toBe(true);
  });

  it("S21: a release may be repeated, and a renewal after it is refused", () => {
    const run = runRecord({ fence: 1, leaseExpiresAtMs: null });
    expect(releaseRun(run, { ...ANY, fence: 1 }, 2_000)).toStrictEqual({ outcome: "granted", run });
    expect(renewLease(run, { ...ANY, fence: 1, leaseMs: 10 }, 0)).toStrictEqual({
      outcome: "fenced",
    });
  });
});
