import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  appendRule,
  headAfterPlain,
  landingOf,
  plainOf,
  takesPlain,
} from "../src/rules/append-rule.ts";
import type { Decision, NewReceipt, Rule, Seen } from "../src/rules/decision.ts";
import { dueAt, dueKindOf } from "../src/rules/due.ts";
import type { NewEvent } from "../src/rules/event.ts";
import { foldRules } from "../src/rules/fold-rules.ts";
import { type Head, headOf, type Run, runOf } from "../src/rules/head.ts";
import type { KeptReceipt } from "../src/rules/judge-append.ts";
import { landOnce } from "../src/rules/land-once.ts";
import { renewRule } from "../src/rules/lease-rules.ts";
import { appends, type FenceOf, NAME, programs, steps } from "./decision-arbitraries.ts";

/** One run, kept as a store would keep it. */
class OneRun {
  head: Head | null = null;
  readonly events: NewEvent[] = [];
  readonly receipts = new Map<string, NewReceipt>();
  #ordinal = 0;

  see(nowMs: number): Seen {
    const receipts = new Map<string, KeptReceipt>();
    for (const [key, receipt] of this.receipts) {
      const events = this.events.slice(receipt.firstSequence - 1, receipt.lastSequence);
      receipts.set(key, { ...receipt, events });
    }
    return { head: this.head, receipts, holder: null, nowMs, ordinal: this.#ordinal + 1 };
  }

  save({ after, events = [], receipts = [] }: Decision<unknown>): void {
    if (after === undefined) return;
    if (after === null) {
      this.events.length = 0;
      this.receipts.clear();
    } else {
      this.#ordinal = Math.max(this.#ordinal, after.ordinal);
      this.events.push(...events);
      for (const receipt of receipts) this.receipts.set(receipt.idempotencyKey, receipt);
    }
    this.head = after;
  }

  decide<Answer>(rule: Rule<Answer>, nowMs: number): Answer {
    const decision = landOnce(rule, newId)(this.see(nowMs));
    this.save(decision);
    return decision.answer;
  }

  /** The current fence, or one that never was. */
  get fenceOf(): FenceOf {
    return (nth) => (nth > 0 ? (this.head?.fence ?? 1) : 7);
  }
}

let ids = 0;
const newId = (): string => `id-${(ids += 1)}`;

/** Runs a program, and looks at the run after each step. */
function play(program: readonly (readonly [number, (of: FenceOf) => Rule<unknown>])[]): OneRun {
  const run = new OneRun();
  let nowMs = 100;
  for (const [passed, step] of program) {
    nowMs += passed;
    run.decide(step(run.fenceOf), nowMs);
  }
  return run;
}

describe("decisions about one run", () => {
  it("several rules in one commit are answered, and leave the run, as one after the other", () => {
    fc.assert(
      fc.property(programs, fc.array(steps, { minLength: 1, maxLength: 6 }), (program, folded) => {
        const one = play(program);
        const all = play(program);
        const rules = folded.map((step) => step(one.fenceOf));
        const answers: unknown[] = [];
        for (let left = rules; left.length > 0;) {
          const done = all.decide(foldRules(left), 500);
          expect(done.length).toBeGreaterThan(0);
          answers.push(...done);
          left = left.slice(done.length);
        }
        const expected = rules.map((rule) => one.decide(rule, 500));
        expect(answers.map(withoutIndex)).toEqual(expected.map(withoutIndex));
        expect(withoutCommits(all.head)).toEqual(withoutCommits(one.head));
        expect([all.events, all.receipts]).toEqual([one.events, one.receipts]);
      }),
      { numRuns: 2_000 },
    );
  });

  it("a decision that has landed gives its answer again, and writes nothing, after up to three commits of others", () => {
    fc.assert(
      fc.property(
        programs,
        steps,
        fc.array(appends, { maxLength: 3 }),
        fc.nat(1),
        (program, step, others, lost) => {
          const run = play(program);
          const decide = landOnce(step(run.fenceOf), newId);
          // An earlier decision may have been refused as a conflict.
          if (lost === 1) decide(run.see(499));
          const first = decide(run.see(500));
          if (first.after === undefined) return;
          run.save(first);
          for (const other of others) run.decide(appendRule(other(run.fenceOf)), 501);
          const again = decide(run.see(502));
          expect(again.answer).toEqual(first.answer);
          expect(again.after).toBe(undefined);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it("whatever a fast statement takes as a plain append, the rule of appends takes too, and does the same", () => {
    fc.assert(
      fc.property(programs, appends, (program, append) => {
        const run = play(program);
        const request = append(run.fenceOf);
        const plain = plainOf(request);
        const { head, receipts, nowMs } = run.see(500);
        const isNew = plain?.idempotencyKey == null || !receipts.has(plain.idempotencyKey);
        if (plain === null || !isNew || !takesPlain(head, plain, nowMs)) return;
        const after = headAfterPlain(head, plain, nowMs);
        const { leaseExpiresAtMs: _, ...landing } = landingOf(after, plain);
        const ruled = appendRule(request)({ ...run.see(500), head: runOf(head) });
        expect(ruled.answer).toEqual({ outcome: "appended", ...landing });
        expect(headOf({ ...(ruled.after as Run), revision: after.revision })).toEqual({
          ...after,
          metadata: "1",
        });
      }),
      { numRuns: 3_000 },
    );
  });

  it("whatever a fast statement takes as a renewal, the rule of renewals takes too, and does the same", () => {
    fc.assert(
      fc.property(programs, fc.nat(1), fc.nat(60), (program, nth, leaseMs) => {
        const run = play(program);
        const fence = run.fenceOf(nth);
        const plain = {
          ...NAME,
          events: [],
          fence,
          leaseMs,
          expectedSequence: null,
          idempotencyKey: null,
        };
        const seen = run.see(130);
        if (!takesPlain(seen.head, plain, 130)) return;
        const after = headAfterPlain(seen.head, plain, 130);
        expect(after.dueMs).toBeLessThanOrEqual(dueAt(runOf(after)));
        const rule = renewRule({ ...NAME, fence, leaseMs });
        const ruled = rule({ ...seen, head: runOf(seen.head) });
        expect(ruled.answer).toMatchObject({ outcome: "granted" });
        const { revision } = after;
        expect(headOf({ ...(ruled.after as Run), revision })).toEqual({ ...after, metadata: "1" });
      }),
      { numRuns: 3_000 },
    );
  });

  it("the index of due runs never has a run later than it is due, and has a run that waits for something else at that time", () => {
    fc.assert(
      fc.property(programs, (program) => {
        const run = new OneRun();
        let nowMs = 100;
        for (const [passed, step] of program) {
          nowMs += passed;
          const before = run.head === null ? null : dueKindOf(run.head);
          run.decide(step(run.fenceOf), nowMs);
          if (run.head === null) continue;
          const due = dueAt(runOf(run.head));
          expect(run.head.dueMs).toBeLessThanOrEqual(due);
          if (before !== dueKindOf(run.head)) expect(run.head.dueMs).toBe(due);
        }
      }),
      { numRuns: 3_000 },
    );
  });

  it("each write moves the revision by one", () => {
    fc.assert(
      fc.property(programs, steps, (program, step) => {
        const run = play(program);
        const decision = landOnce(step(run.fenceOf), newId)(run.see(500));
        if (decision.after == null) return;
        expect(decision.after.revision).toBe((run.head?.revision ?? 0) + 1);
      }),
    );
  });
});

/** The index is moved at the commit, so an answer within a fold may have an earlier time of it. */
function withoutIndex(answer: unknown): unknown {
  if (typeof answer !== "object" || answer === null || !("run" in answer)) return answer;
  return { ...answer, run: { ...(answer.run as Run), dueMs: 0 } };
}

/** A fold is one commit, so the run has another revision, and remembers other commits. */
function withoutCommits(head: Head | null): object | null {
  if (head === null) return null;
  return { ...runOf(head), revision: 0, dueMs: 0, commits: [] };
}
