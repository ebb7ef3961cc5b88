import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Appender } from "../src/rules/append.ts";
import {
  claimRun,
  encodeKeptClaim,
  keptKeyOf,
  type LeaseOutcome,
  nextFence,
  releaseRun,
  renewLease,
} from "../src/rules/claims.ts";
import { advanceRun, judgeAppend } from "../src/rules/judge-append.ts";
import type { RunRecord } from "../src/rules/run.ts";
import { appender } from "./run-draft.ts";
import { appendRequest, newEvent, runRecord } from "./run-record.ts";

const ANY = { runId: "r", ownerId: null };

/** `age` names a fence: 0 is the last that was taken, 1 the one before it. */
type Step = { readonly afterMs: number } & (
  | { readonly do: "claim"; readonly leaseMs: number }
  | { readonly do: "renew" | "release"; readonly age: number; readonly leaseMs: number }
  | { readonly do: "append"; readonly by: Appender; readonly isEnd: boolean }
  | { readonly do: "write"; readonly age: number; readonly isEnd: boolean }
);

const afterMs = fc.nat({ max: 3 });
const leaseMs = fc.integer({ min: 1, max: 4 });
const age = fc.nat({ max: 3 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant("claim" as const), afterMs, leaseMs }),
  fc.record({
    do: fc.constantFrom("renew" as const, "release" as const),
    afterMs,
    leaseMs,
    age,
  }),
  fc.record({
    do: fc.constant("append" as const),
    afterMs,
    by: appender,
    isEnd: fc.boolean(),
  }),
  fc.record({ do: fc.constant("write" as const), afterMs, age, isEnd: fc.boolean() }),
);

/** Whether the fence may write. */
function mayWrite(run: RunRecord, fence: number, nowMs: number): boolean {
  const request = appendRequest([newEvent("TOKEN")], { appender: { by: "worker", fence } });
  return judgeAppend(run, null, request, nowMs) === null;
}

/**
 * The run after a step, and whether the step did anything.
 * @param taken the fences so far, in their order
 */
function take(
  run: RunRecord,
  one: Step,
  nowMs: number,
  taken: readonly number[],
): readonly [RunRecord, boolean] {
  const fence = ("age" in one ? taken.at(-1 - one.age) : undefined) ?? 1;
  if (one.do === "append" || one.do === "write") {
    const events = [newEvent(one.isEnd ? "RUN_COMPLETED" : "TOKEN")];
    const by: Appender = one.do === "write" ? { by: "worker", fence } : one.by;
    const request = appendRequest(events, { appender: by });
    if (judgeAppend(run, null, request, nowMs) !== null) return [run, false];
    return [advanceRun(run, request, nowMs).run, true];
  }
  const outcome: LeaseOutcome = {
    claim: () => claimRun(run, { ...ANY, leaseMs: one.leaseMs }, nowMs, null),
    renew: () => renewLease(run, { ...ANY, fence, leaseMs: one.leaseMs }, nowMs),
    release: () => releaseRun(run, { ...ANY, fence }, nowMs),
  }[one.do]();
  return outcome.outcome === "granted" ? [outcome.run, true] : [run, false];
}

describe("the lease of a run", () => {
  it("S21, S22: fences only grow, and a worker that has lost a run never writes to it again", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        let run = runRecord();
        let nowMs = 1_000;
        const taken: number[] = [];
        const shutOut = new Set<number>();
        for (const one of steps) {
          nowMs += one.afterMs;
          const before = run;
          const [next, isDone] = take(run, one, nowMs, taken);
          run = next;
          expect(run.fence).toBeGreaterThanOrEqual(before.fence);
          if (run.fence !== before.fence) taken.push(run.fence);
          if (one.do === "claim" && isDone) {
            expect(run.fence).toBe(nextFence(before, nowMs));
            expect(run.leaseExpiresAtMs).toBe(nowMs + one.leaseMs);
            // No worker lost it before its lease expired.
            expect((before.leaseExpiresAtMs ?? nowMs) <= nowMs).toBe(true);
          }
          const around = taken.flatMap((fence) => [fence - 1, fence, fence + 1]);
          const all = [...new Set([1, ...around])];
          const writers = all.filter((fence) => mayWrite(run, fence, nowMs));
          expect(writers.length).toBeLessThanOrEqual(1);
          for (const fence of writers) expect(shutOut.has(fence)).toBe(false);
          for (const fence of all)
            if (fence <= run.fence && !writers.includes(fence)) shutOut.add(fence);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("S21: a claim, a renewal and a release change nothing of the run but its lease", () => {
    fc.assert(
      fc.property(step, fc.nat({ max: 4 }), (one, fence) => {
        fc.pre(one.do !== "append" && one.do !== "write");
        const run = runRecord({ fence, leaseExpiresAtMs: 1_001, updatedAtMs: 1_000 });
        const [after] = take(run, one, 1_001, [fence - 1, fence]);
        const lease = { fence: after.fence, leaseExpiresAtMs: after.leaseExpiresAtMs };
        expect(after).toStrictEqual({ ...run, ...lease });
      }),
    );
  });
});

describe("the key of a claim", () => {
  /** A run with what a store keeps of its last claim. */
  interface Kept {
    readonly run: RunRecord;
    readonly claim: string | null;
  }

  /** One claim as every adapter makes it: the kept key, the rule, the key that is kept then. */
  function claimUnder(kept: Kept, claimKey: string | undefined, nowMs: number) {
    const keptKey = keptKeyOf(kept.run, kept.claim);
    const request =
      claimKey === undefined ? { ...ANY, leaseMs: 3 } : { ...ANY, leaseMs: 3, claimKey };
    const outcome = claimRun(kept.run, request, nowMs, keptKey);
    if (outcome.outcome !== "granted") return { outcome, kept };
    const claim = claimKey === undefined ? null : encodeKeptClaim(outcome.run.fence, claimKey);
    return { outcome, kept: { run: outcome.run, claim } };
  }

  const key = fc.constantFrom("a", "b", "1 a", " ");
  const start: Kept = { run: runRecord(), claim: null };

  it("S21: a claim that is sent again under its key while its lease lasts gets that lease, unless the run was claimed, released or ended", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), key, (steps, claimKey) => {
        let nowMs = 1_000;
        const first = claimUnder(start, claimKey, nowMs);
        if (first.outcome.outcome !== "granted") throw new TypeError("Expected a grant.");
        let run = first.kept.run;
        const { fence } = run;
        for (const one of steps) {
          nowMs += one.afterMs;
          if (one.do === "claim") continue;
          [run] = take(run, one, nowMs, [fence - 1, fence]);
        }
        const again = claimUnder({ run, claim: first.kept.claim }, claimKey, nowMs);
        const isItsOwn = run.fence === fence && (run.leaseExpiresAtMs ?? 0) > nowMs;
        if (isItsOwn) expect(again.outcome).toStrictEqual({ outcome: "granted", run });
        else if (again.outcome.outcome === "granted")
          expect(again.kept.run.fence).toBeGreaterThan(fence);
        else expect(again.outcome.outcome).not.toBe("claimed");
      }),
      { numRuns: 500 },
    );
  });

  it("S21: only the key that got a lease gets it again while it lasts; another key or none is refused", () => {
    const other = fc.option(key, { nil: undefined });
    fc.assert(
      fc.property(other, other, fc.nat({ max: 5 }), (firstKey, secondKey, afterMs) => {
        const { kept } = claimUnder(start, firstKey, 1_000);
        const { outcome } = claimUnder(kept, secondKey, 1_000 + afterMs);
        const isRunning = afterMs < 3;
        const isSame = firstKey !== undefined && firstKey === secondKey;
        expect(outcome).toMatchObject(
          isRunning && !isSame
            ? { outcome: "claimed", leaseExpiresAtMs: 1_003 }
            : { outcome: "granted" },
        );
        if (outcome.outcome !== "granted") return;
        const { fence } = kept.run;
        if (isRunning) expect(outcome.run.fence).toBe(fence);
        else expect(outcome.run.fence).toBeGreaterThan(fence);
      }),
    );
  });

  it("S21: a kept claim has its key for its own fence while that has a lease, and for no other", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 120 }),
        fc.integer({ min: 1, max: 120 }),
        key,
        (fence, other, claimKey) => {
          const kept = encodeKeptClaim(fence, claimKey);
          const lease = { fence: other, leaseExpiresAtMs: 1 };
          expect(keptKeyOf(lease, kept)).toBe(other === fence ? claimKey : null);
          expect(keptKeyOf({ fence, leaseExpiresAtMs: null }, kept)).toBeNull();
          expect(keptKeyOf(lease, null)).toBeNull();
        },
      ),
    );
  });
});
