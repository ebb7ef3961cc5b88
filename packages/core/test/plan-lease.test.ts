import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { claimRun, keptKeyOf, releaseRun, renewLease } from "../src/rules/claims.ts";
import { claimRule, type HeadRow, releaseRule, renewRule } from "../src/rules/plan-lease.ts";
import { runRecord } from "./run-record.ts";

const NOW = 5_000;

const arbitraryHead: fc.Arbitrary<HeadRow | null> = fc.option(
  fc
    .record({
      fence: fc.constantFrom(0, 4_001, 5_001),
      leaseExpiresAtMs: fc.constantFrom(null, NOW - 1, NOW, NOW + 1),
      runStatus: fc.constantFrom("running" as const, "completed" as const),
      keptClaim: fc.constantFrom(null, "4001 k", "5001 k", "5001 l"),
    })
    .map(({ keptClaim, ...part }) => ({ ...runRecord(part), keptClaim })),
);

const arbitraryAsked = fc.record({
  ownerId: fc.constantFrom(null, "ada", "bob"),
  fence: fc.constantFrom(4_001, 5_001),
  claimKey: fc.constantFrom(undefined, "k", "l"),
});

function withoutClaim(head: HeadRow | null) {
  if (head === null) return null;
  const { keptClaim: _keptClaim, ...run } = head;
  return run;
}

describe("the rules of a lease on a store's row", () => {
  it("S21: the row rules answer as claimRun, renewLease and releaseRun, and save exactly what was granted", () => {
    fc.assert(
      fc.property(arbitraryHead, arbitraryAsked, (head, { ownerId, fence, claimKey }) => {
        const asked = { runId: "r", ownerId, leaseMs: 1_000 };
        const claim = claimKey === undefined ? asked : { ...asked, claimKey };
        const run = withoutClaim(head);
        const keptKey = head === null ? null : keptKeyOf(head, head.keptClaim);
        const pairs = [
          [claimRule(claim)(head, NOW), claimRun(run, claim, NOW, keptKey)],
          [renewRule({ ...asked, fence })(head, NOW), renewLease(run, { ...asked, fence }, NOW)],
          [releaseRule({ ...asked, fence })(head, NOW), releaseRun(run, { ...asked, fence }, NOW)],
        ] as const;
        for (const [{ outcome, after }, expected] of pairs) {
          expect(outcome).toStrictEqual(expected);
          const granted = expected.outcome === "granted" ? expected.run : null;
          expect(withoutClaim(after)).toStrictEqual(granted);
          if (outcome.outcome === "granted") expect(outcome.run).not.toBe(head);
        }
      }),
    );
  });

  it("S21: a claim gets its lease again by what was saved, and no other claim does", () => {
    fc.assert(
      fc.property(arbitraryHead, fc.constantFrom(undefined, "k", "l"), (head, claimKey) => {
        const asked = { runId: "r", ownerId: null, leaseMs: 1_000 };
        const claim = claimKey === undefined ? asked : { ...asked, claimKey };
        const first = claimRule(claim)(head, NOW);
        if (first.after === null) return;
        const again = claimRule(claim)(first.after, NOW + 1);
        const other = claimRule({ ...asked, claimKey: "another" })(first.after, NOW + 1);
        expect(again.outcome.outcome).toBe(
          claimKey === undefined && (first.after.leaseExpiresAtMs ?? 0) > NOW + 1
            ? "claimed"
            : "granted",
        );
        if (claimKey !== undefined && (first.after.leaseExpiresAtMs ?? 0) > NOW + 1) {
          expect(again.outcome).toStrictEqual(first.outcome);
          expect(other.outcome.outcome).toBe("claimed");
        }
      }),
    );
  });

  it("S21: a renewal and a release keep the claim's key", () => {
    const head = { ...runRecord({ fence: 5_001, leaseExpiresAtMs: NOW }), keptClaim: "5001 k" };
    const asked = { runId: "r", ownerId: null, fence: 5_001 };
    expect(renewRule({ ...asked, leaseMs: 1 })(head, NOW).after?.keptClaim).toBe("5001 k");
    expect(releaseRule(asked)(head, NOW).after?.keptClaim).toBe("5001 k");
  });
});
