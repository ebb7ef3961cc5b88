import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { appendRule } from "../src/rules/append-rule.ts";
import { type LeaseOutcome, nextFence } from "../src/rules/claims.ts";
import type { Rule } from "../src/rules/decision.ts";
import type { RunStatus } from "../src/rules/event.ts";
import { type Head, recordOf, type Run, runOf } from "../src/rules/head.ts";
import { claimRule, releaseRule, renewRule } from "../src/rules/lease-rules.ts";
import { createRule } from "../src/rules/run-rules.ts";
import { NAME, programs, steps } from "./decision-arbitraries.ts";
import { OneRun, play } from "./one-run.ts";
import { appendRequest, newEvent, runRecord } from "./run-record.ts";

const CALLS = { claim: claimRule, renew: renewRule, release: releaseRule } as const;
type Call = keyof typeof CALLS;
const calls = Object.keys(CALLS) as readonly Call[];

function runWith(part: Partial<Run>): Run {
  const more = { revision: 1, exclusive: false, dueMs: 1_000, resumable: false, commits: [] };
  return { ...runRecord(), ...more, keptClaim: null, ...part };
}

function decide(rule: Rule<LeaseOutcome>, head: Run | null, nowMs: number) {
  return rule({ head, receipts: new Map(), holder: null, nowMs, ordinal: 1 });
}

/** Whether the fence may write. */
function mayWrite(run: OneRun, fence: number, nowMs: number): boolean {
  const part = { ...NAME, appender: { by: "worker", fence } } as const;
  const rule = appendRule(appendRequest([newEvent("TOKEN")], part));
  return rule(run.seeRun(nowMs)).answer.outcome === "appended";
}

describe("claims, renewals and releases", () => {
  interface Situation {
    readonly exists: boolean;
    readonly runStatus: RunStatus;
    readonly lease: "none" | "held" | "run out";
    readonly fence: "right" | "stale";
  }

  const situations: readonly Situation[] = [true, false].flatMap((exists) =>
    (["queued", "running", "waiting", "completed", "failed", "cancelled"] as const).flatMap(
      (runStatus) =>
        (["none", "held", "run out"] as const).flatMap((lease) =>
          (["right", "stale"] as const).map((fence) => ({ exists, runStatus, lease, fence })),
        ),
    ),
  );

  /** The clauses as a table: the first row that fits decides. */
  function outcomeOf(call: Call, one: Situation): LeaseOutcome["outcome"] {
    if (!one.exists) return "not_found";
    if (!["queued", "running", "waiting"].includes(one.runStatus)) return "finished";
    if (call === "claim") return one.lease === "held" ? "claimed" : "granted";
    if (one.fence === "stale") return "fenced";
    return call === "renew" && one.lease === "none" ? "fenced" : "granted";
  }

  it.each(calls)("W31: %s judges every situation in the order of the list", (call) => {
    expect(situations).toHaveLength(2 * 6 * 3 * 2);
    for (const one of situations) {
      const leaseExpiresAtMs = { none: null, held: 2_001, "run out": 2_000 }[one.lease];
      const { runStatus } = one;
      const run = runWith({ runStatus, lastSequence: 7, fence: 3, leaseExpiresAtMs });
      const request = { ...NAME, fence: one.fence === "right" ? 3 : 2, leaseMs: 500 };
      const { answer } = decide(CALLS[call](request), one.exists ? run : null, 2_000);
      const expected = {
        granted: {
          run: {
            ...recordOf(run),
            fence: call === "claim" ? 2_000_001 : 3,
            leaseExpiresAtMs: call === "release" ? null : 2_500,
          },
        },
        not_found: {},
        finished: { runStatus, lastSequence: 7 },
        claimed: { leaseExpiresAtMs },
        fenced: {},
      };
      const outcome = outcomeOf(call, one);
      expect({ ...one, ...answer }).toStrictEqual({ ...one, outcome, ...expected[outcome] });
    }
  });

  it("W31, W32: fences only grow, and a worker that has lost a run never writes to it again", () => {
    fc.assert(
      fc.property(programs, (program) => {
        let taken: number[] = [];
        let shutOut = new Set<number>();
        let before: Head | null = null;
        play(program, (run, nowMs) => {
          const { head } = run;
          if (head?.ordinal !== before?.ordinal) [taken, shutOut] = [[], new Set<number>()];
          if (head === null) {
            before = null;
            return;
          }
          expect(head.fence).toBeGreaterThanOrEqual(taken.at(-1) ?? 0);
          if (head.fence !== taken.at(-1)) taken.push(head.fence);
          const around = taken.flatMap((fence) => [fence - 1, fence, fence + 1]);
          const all = [...new Set([1, ...around])].filter((fence) => fence > 0);
          const writers = all.filter((fence) => mayWrite(run, fence, nowMs));
          expect(writers.length).toBeLessThanOrEqual(1);
          for (const fence of writers) expect(shutOut.has(fence)).toBe(false);
          for (const fence of all) {
            if (fence <= head.fence && !writers.includes(fence)) shutOut.add(fence);
          }
          before = head;
        });
      }),
      { numRuns: 500 },
    );
  });

  it("W31: they change nothing of the run but its lease, and a claim gets the next fence, which no worker loses before its lease has expired", () => {
    const leases = fc.constantFrom(...calls);
    fc.assert(
      fc.property(programs, leases, fc.nat(1), fc.nat(9), (program, call, nth, leaseMs) => {
        const run = play(program);
        const { head } = run;
        const nowMs = 110;
        const fence = run.fenceOf(nth);
        const rule = CALLS[call]({ ...NAME, fence, leaseMs });
        const outcome = run.decide(rule, nowMs);
        if (outcome.outcome !== "granted" || head === null || run.head === null) {
          expect(run.head).toEqual(head);
          return;
        }
        const lease = { fence: 0, leaseExpiresAtMs: 0, worker: null, keptClaim: null };
        const rest = { ...lease, dueMs: 0, revision: 0, commits: [] };
        expect({ ...runOf(run.head), ...rest }).toEqual({ ...runOf(head), ...rest });
        expect(outcome.run).toEqual(recordOf(runOf(run.head)));
        const expiresAtMs = call === "release" ? null : nowMs + leaseMs;
        expect(outcome.run.leaseExpiresAtMs).toBe(expiresAtMs);
        if (call !== "claim") return;
        expect(outcome.run.fence).toBe(nextFence(head, nowMs));
        expect(head.leaseExpiresAtMs ?? nowMs).toBeLessThanOrEqual(nowMs);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("the key of a claim", () => {
  const keys = fc.constantFrom("a", "b", "1 a", " ");
  const someKeys = fc.option(keys, { nil: undefined });
  const more = fc.array(fc.tuple(fc.nat(3), steps), { maxLength: 8 });

  function claimUnder(claimKey: string | undefined): Rule<LeaseOutcome> {
    return claimRule({ ...NAME, leaseMs: 10, ...(claimKey !== undefined && { claimKey }) });
  }

  /** A run that was created and claimed at 100. */
  function claimedRun(claimKey: string | undefined): OneRun {
    const run = new OneRun();
    run.decide(createRule({ ...NAME, metadata: "1" }), 100);
    run.decide(claimUnder(claimKey), 100);
    return run;
  }

  it("W31: a claim that is sent again under its key while its lease lasts gets that lease, unless the run was claimed, released or ended", () => {
    let own = 0;
    fc.assert(
      fc.property(more, keys, (program, claimKey) => {
        const run = claimedRun(claimKey);
        const { fence = 0 } = run.head ?? {};
        let nowMs = 100;
        for (const [passedMs, step] of program) {
          nowMs += passedMs;
          run.decide(step(run.fenceOf), nowMs);
        }
        const { head } = run;
        if (head === null) return;
        const again = run.decide(claimUnder(claimKey), nowMs);
        if (head.fence === fence && (head.leaseExpiresAtMs ?? 0) > nowMs) {
          own += 1;
          expect(again).toStrictEqual({ outcome: "granted", run: recordOf(runOf(head)) });
          expect(run.head).toBe(head);
        } else if (again.outcome === "granted") {
          expect(again.run.fence).toBeGreaterThan(fence);
        }
      }),
      { numRuns: 1_000 },
    );
    // Otherwise the law says nothing.
    expect(own).toBeGreaterThan(100);
  });

  it("W31: only the key that got a lease gets it again while it lasts; another key or none is refused", () => {
    fc.assert(
      fc.property(someKeys, someKeys, fc.nat({ max: 15 }), (first, second, afterMs) => {
        const run = claimedRun(first);
        const { fence = 0 } = run.head ?? {};
        const outcome = run.decide(claimUnder(second), 100 + afterMs);
        const lasts = afterMs < 10;
        const isSame = first !== undefined && first === second;
        if (lasts && !isSame) {
          expect(outcome).toStrictEqual({ outcome: "claimed", leaseExpiresAtMs: 110 });
          return;
        }
        expect(outcome.outcome).toBe("granted");
        if (lasts) expect(run.head?.fence).toBe(fence);
        else expect(run.head?.fence).toBeGreaterThan(fence);
      }),
    );
  });
});
