import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  appendRule,
  headAfterPlain,
  landingOf,
  type Plain,
  plainOf,
  takesPlain,
} from "../src/rules/append-rule.ts";
import { dueAt } from "../src/rules/due.ts";
import type { Rule } from "../src/rules/decision.ts";
import { foldRules } from "../src/rules/fold-rules.ts";
import { type Head, headOf, type Run, runOf } from "../src/rules/head.ts";
import { landOnce } from "../src/rules/land-once.ts";
import { claimRule, releaseRule, renewRule } from "../src/rules/lease-rules.ts";
import { createRule, dueRule, removalRule } from "../src/rules/run-rules.ts";
import { appends, type FenceOf, NAME, programs, steps } from "./decision-arbitraries.ts";
import { newId, type OneRun, play } from "./one-run.ts";

const holders = fc.constantFrom(null, null, { ownerId: "ada", runId: "other" });

describe("decisions about one run", () => {
  it("S2: several rules in one commit are answered, and leave the run, as one after the other", () => {
    const several = fc.array(steps, { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(programs, several, holders, (program, folded, holder) => {
        const [one, all] = [play(program), play(program)];
        for (const run of [one, all]) run.holder = holder;
        const rules = folded.map((step) => step(one.fenceOf));
        const answers: unknown[] = [];
        for (let left = rules; left.length > 0;) {
          const done = all.decide(foldRules(left), 500);
          expect(done.length).toBeGreaterThan(0);
          answers.push(...done);
          left = left.slice(done.length);
        }
        expect(answers).toEqual(rules.map((rule) => one.decide(rule, 500)));
        expect(withoutCommits(all.head)).toEqual(withoutCommits(one.head));
        expect([all.events, all.receipts]).toEqual([one.events, one.receipts]);
      }),
      { numRuns: 1_000 },
    );
  });

  it("S2, S23: so are those that release a run, claim it or end it if it is due, and the index has none too late", () => {
    const ends = fc.record({
      kind: fc.constantFrom("leased", "running", "waiting"),
      limitMs: fc.nat(20),
    });
    const several = fc.array(
      fc.oneof(
        ends.map((limit) => () => dueRule(limit)),
        fc.constant((of: FenceOf) => releaseRule({ ...NAME, fence: of(1) })),
        fc.nat(9).map((leaseMs) => () => claimRule({ ...NAME, leaseMs })),
      ),
      { minLength: 2, maxLength: 3 },
    );
    fc.assert(
      fc.property(programs, several, (program, folded) => {
        const [one, all] = [play(program), play(program)];
        const rules: readonly Rule<unknown>[] = folded.map((step) => step(one.fenceOf));
        const answers = all.decide(foldRules(rules), 130);
        expect(answers).toEqual(rules.map((rule) => one.decide(rule, 130)));
        expect(withoutCommits(all.head)).toEqual(withoutCommits(one.head));
        if (all.head !== null) {
          expect(all.head.dueMs).toBeLessThanOrEqual(dueAt(runOf(all.head)));
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("S7: a decision that has landed gives its answer again, and writes nothing, after up to three commits of others", () => {
    const others = fc.array(appends, { maxLength: 3 });
    const flags = fc.record({ wasRefused: fc.boolean(), isAgain: fc.boolean() });
    fc.assert(
      fc.property(
        programs,
        steps,
        others,
        flags,
        (program, step, more, { wasRefused, isAgain }) => {
          const run = play(program);
          let isInDoubt = false;
          const decide = landOnce(step(run.fenceOf), newId, () => isInDoubt);
          // An earlier decision may have been refused as a conflict.
          if (wasRefused) decide(run.see(499));
          const first = decide(run.see(500));
          if (first.after === undefined) return;
          isInDoubt = true;
          run.save(first);
          // The id of a removed run may be used again.
          if (first.after === null && isAgain) {
            run.decide(createRule({ ...NAME, metadata: "1" }), 501);
          }
          for (const other of more) run.decide(appendRule(other(run.fenceOf)), 501);
          const again = decide(run.see(502));
          expect(again.answer).toEqual(first.answer);
          expect(again.after).toBe(undefined);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it("S7: a removal that was refused as a conflict is not taken for the one that another program made", () => {
    fc.assert(
      fc.property(programs, (program) => {
        const run = play(program);
        const decide = landOnce(removalRule(), newId);
        if (decide(run.see(500)).answer !== "deleted") return;
        run.decide(removalRule(), 500);
        expect(decide(run.see(501))).toEqual({ answer: "not_found" });
      }),
    );
  });

  it("S21: a rule only depends on what it sees, changes nothing of it, and decides about any run, also after its own decision", () => {
    fc.assert(
      fc.property(programs, steps, holders, (program, step, holder) => {
        const run = play(program);
        run.holder = holder;
        const rule = step(run.fenceOf);
        const seen = run.seeRun(500);
        const before = structuredClone(seen);
        const first = rule(seen);
        expect(rule(seen)).toEqual(first);
        expect(seen).toEqual(before);
        run.decide(rule, 500);
        for (const nowMs of [500, 400, 9_000]) expect(() => rule(run.seeRun(nowMs))).not.toThrow();
      }),
      { numRuns: 1_000 },
    );
  });

  it("S5: a fast statement takes exactly what the rule of appends takes of a plain append to a run that has started, and does the same", () => {
    let taken = 0;
    // The number of sequences that the run has left, if they are few.
    const left = fc.oneof({ arbitrary: fc.constant(null), weight: 4 }, fc.nat(4));
    fc.assert(
      fc.property(programs, appends, left, (program, append, room) => {
        const run = play(program);
        if (run.head !== null && room !== null) {
          run.head = { ...run.head, lastSequence: Number.MAX_SAFE_INTEGER - room };
        }
        const request = append(run.fenceOf);
        const plain = plainOf(request);
        if (plain === null || isKnown(run, plain)) return;
        const { answer, after } = appendRule(request)(run.seeRun(500));
        const isLanded = answer.outcome === "appended" && run.head?.runStatus !== "queued";
        expect(takesPlain(run.head, plain, 500)).toBe(isLanded);
        if (!isLanded || run.head === null) return;
        taken += 1;
        const plainly = headAfterPlain(run.head, plain, 500);
        const { leaseExpiresAtMs: _, ...landing } = landingOf(plainly, plain);
        expect(answer).toEqual({ outcome: "appended", ...landing });
        expect(headOf({ ...(after as Run), revision: plainly.revision })).toEqual({
          ...plainly,
          metadata: "1",
        });
      }),
      { numRuns: 5_000 },
    );
    // Otherwise the law says nothing.
    expect(taken).toBeGreaterThan(100);
  });

  it("S5: a fast statement takes exactly what the rule of renewals takes on a run that has started, unless the index had it too late, and does the same", () => {
    let taken = 0;
    fc.assert(
      fc.property(programs, fc.nat(3), fc.nat(60), (program, nth, leaseMs) => {
        const run = play(program);
        const { head, fenceOf } = run;
        const fence = fenceOf(nth);
        const none = { events: [], expectedSequence: null, idempotencyKey: null };
        const plain: Plain = { ...NAME, ...none, fence, leaseMs };
        const { answer, after } = renewRule({ ...NAME, fence, leaseMs })(run.seeRun(130));
        const isLanded =
          answer.outcome === "granted" &&
          head?.runStatus !== "queued" &&
          (head?.dueMs ?? 0) <= 130 + leaseMs;
        expect(takesPlain(head, plain, 130)).toBe(isLanded);
        if (!isLanded || head === null) return;
        taken += 1;
        const plainly = headAfterPlain(head, plain, 130);
        const { revision } = plainly;
        const expected = { ...plainly, metadata: "1" };
        expect(headOf({ ...(after as Run), revision })).toEqual(expected);
      }),
      { numRuns: 3_000 },
    );
    // Otherwise the law says nothing.
    expect(taken).toBeGreaterThan(50);
  });

  it("S1, W2, W44: each write moves the revision by one, no sequence and no time runs back, and what a head says of its log is true", () => {
    fc.assert(
      fc.property(programs, (program) => {
        let before: Head | null = null;
        const run = play(program, ({ head, events }) => {
          if (head !== null && before?.ordinal === head.ordinal && head !== before) {
            expect(head.revision).toBe(before.revision + 1);
            expect(head.updatedAtMs).toBeGreaterThanOrEqual(before.updatedAtMs);
            expect(head.fence).toBeGreaterThanOrEqual(before.fence);
          }
          if (head !== null && before !== null) {
            expect(head.ordinal).toBeGreaterThanOrEqual(before.ordinal);
          }
          before = head ?? before;
          expect(head?.lastSequence ?? 0).toBe(events.length);
          if (head !== null) expectLease(runOf(head));
        });
        const times = run.events.map(({ atMs }) => atMs);
        expect(times).toEqual(times.toSorted((a, b) => a - b));
        if (run.head !== null && times.length > 0) expect(run.head.updatedAtMs).toBe(times.at(-1));
      }),
      { numRuns: 1_000 },
    );
  });
});

/** Only a live run has a lease, and only a lease has a worker. */
function expectLease({ finishedAtMs, leaseExpiresAtMs, worker }: Run): void {
  if (finishedAtMs !== null) expect(leaseExpiresAtMs).toBeNull();
  if (leaseExpiresAtMs === null) expect(worker).toBeNull();
}

/** Whether the run has the append's key. */
function isKnown({ receipts }: OneRun, { idempotencyKey }: Plain): boolean {
  return idempotencyKey !== null && receipts.has(idempotencyKey);
}

/** A fold is one commit: the run has another revision, remembers other commits, and the index may have another time. */
function withoutCommits(head: Head | null): object | null {
  return head && { ...runOf(head), dueMs: dueAt(runOf(head)), revision: 0, commits: [] };
}
