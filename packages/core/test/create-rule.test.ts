import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CreateOutcome } from "../src/rules/creation.ts";
import { headOf, runOf } from "../src/rules/head.ts";
import { claimRule } from "../src/rules/lease-rules.ts";
import { createRule } from "../src/rules/run-rules.ts";
import { NAME, programs } from "./decision-arbitraries.ts";
import { type OneRun, play } from "./one-run.ts";

const HOLDER = { ownerId: "ada", runId: "other" };
const creations = fc.record({
  resumable: fc.boolean(),
  exclusive: fc.boolean(),
  topic: fc.constantFrom(null, "tea"),
});
const claims = fc.record({ leaseMs: fc.nat(9), claimKey: fc.constantFrom("a", "b") });

describe("createRule", () => {
  it("S16, W35: a run that exists is answered as it is; a new one is refused exactly if it is exclusive and its topic has a live run", () => {
    fc.assert(
      fc.property(programs, creations, fc.boolean(), (program, creation, isHeld) => {
        const run = play(program);
        run.holder = isHeld ? HOLDER : null;
        const before = run.head;
        const outcome = run.decide(createRule({ ...NAME, ...creation, metadata: '"m"' }), 500);
        if (before !== null) {
          expect(outcome).toMatchObject({ outcome: "existing", run: { ordinal: before.ordinal } });
          expect(run.head).toBe(before);
        } else if (isHeld && creation.exclusive && creation.topic !== null) {
          expect(outcome).toEqual({ outcome: "topic_busy", runId: "other" });
          expect(run.head).toBeNull();
        } else {
          const { topic, resumable } = creation;
          const lease = { fence: 0, leaseExpiresAtMs: null, worker: null };
          const made = { topic, createdAtMs: 500, updatedAtMs: 500, lastSequence: 0, ...lease };
          expect(outcome).toMatchObject({ outcome: "created", run: made });
          expect(run.head && runOf(run.head)).toMatchObject({ ...made, resumable, dueMs: 500 });
          expect(run.head?.exclusive).toBe(creation.exclusive && topic !== null);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it("W36: with a claim it does in one step what a creation and then that claim do, and answers as the claim", () => {
    fc.assert(
      fc.property(programs, creations, claims, (program, creation, claim) => {
        const [one, two] = [play(program), play(program)];
        const request = { ...NAME, ...creation, metadata: "1" };
        const outcome = one.decide(createRule({ ...request, claim }), 120);
        const created = two.decide(createRule(request), 120);
        const claimed = two.decide(claimRule({ ...NAME, ...claim }), 120);
        const { run, ...refusal } = { run: undefined, ...claimed };
        const granted = { outcome: created.outcome, run } as CreateOutcome;
        expect(outcome).toEqual(claimed.outcome === "granted" ? granted : refusal);
        expect(withoutCommits(one)).toEqual(withoutCommits(two));
      }),
      { numRuns: 1_000 },
    );
  });
});

/** The head without the members that differ between one commit and two. */
function withoutCommits({ head }: OneRun): object | null {
  return head && headOf({ ...runOf(head), revision: 0, dueMs: 0, commits: [] });
}
