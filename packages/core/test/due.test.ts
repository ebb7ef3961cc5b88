import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dueAt, type DueKind, dueKindOf } from "../src/rules/due.ts";
import { type Head, runOf } from "../src/rules/head.ts";
import { type DueLimit, dueRule, removalRule } from "../src/rules/run-rules.ts";
import { type Program, programs } from "./decision-arbitraries.ts";
import { OneRun, play } from "./one-run.ts";

/** A limit: `null` for one of what the run waits for. */
const limits = fc.record({
  kind: fc.constantFrom<DueLimit["kind"] | null>(null, null, "leased", "queued", "running"),
  limitMs: fc.nat(12),
});

/** A run, and since when it waits for what it waits for, by all that has happened to it. */
interface Story {
  readonly run: OneRun;
  readonly head: Head;
  readonly kind: DueKind;
  readonly sinceMs: number;
  readonly nowMs: number;
}

/** @returns `null` if there is no run in the end */
function tell(given: Program): Story | null {
  // With a clock that is set back, the last of several times need not be the largest.
  const program = given.map(([passedMs, step]) => [Math.max(0, passedMs), step] as const);
  let before: Head | null = null;
  let lastReleaseMs = 0;
  let now = 100;
  const run = play(program, ({ head }, nowMs) => {
    now = nowMs;
    if (head?.ordinal !== before?.ordinal) lastReleaseMs = 0;
    else if (head?.runStatus !== "queued" && before?.leaseExpiresAtMs !== head?.leaseExpiresAtMs) {
      lastReleaseMs = nowMs;
    }
    before = head;
  });
  const { head } = run;
  if (head === null) return null;
  const { runStatus, leaseExpiresAtMs, extra } = head;
  const { createdAtMs } = JSON.parse(extra) as { readonly createdAtMs: number };
  const lastEventMs = run.events.at(-1)?.atMs ?? 0;
  const story = { run, head, nowMs: now };
  if (!["queued", "running", "waiting"].includes(runStatus)) {
    return { ...story, kind: "finished", sinceMs: lastEventMs };
  }
  if (leaseExpiresAtMs !== null) return { ...story, kind: "leased", sinceMs: leaseExpiresAtMs };
  const sinceMs = runStatus === "queued" ? createdAtMs : Math.max(lastEventMs, lastReleaseMs);
  return { ...story, kind: runStatus as DueKind, sinceMs };
}

/** The run was ended by the reaper, and its worker is shut out. */
function expectEnd({ head, events }: OneRun, before: Head, kind: DueKind): void {
  const status = { runStatus: "failed", fence: before.fence + 1, leaseExpiresAtMs: null };
  expect(head).toMatchObject({ ...status, dueMs: head?.updatedAtMs });
  const reasons: Partial<Record<DueKind, string>> = {
    leased: "lease_expired",
    queued: "never_started",
  };
  const payload = JSON.stringify({ reason: reasons[kind] ?? "abandoned" });
  expect(events.at(-1)).toMatchObject({ eventType: "RUN_FAILED", payload });
}

describe("due runs", () => {
  it("S23, W33, W37: a run waits for the end of its lease; or since its creation, its last event or its last release; or since its end", () => {
    fc.assert(
      fc.property(programs, (program) => {
        const story = tell(program);
        if (story === null) return;
        const run = runOf(story.head);
        expect([dueKindOf(run), dueAt(run)]).toEqual([story.kind, story.sinceMs]);
      }),
      { numRuns: 2_000 },
    );
  });

  it("S23: the index never has a run later than it is due, and exactly then when it begins to wait for something else", () => {
    fc.assert(
      fc.property(programs, (program) => {
        let kind: DueKind | null = null;
        play(program, ({ head }) => {
          if (head === null) {
            kind = null;
            return;
          }
          const due = dueAt(runOf(head));
          expect(head.dueMs).toBeLessThanOrEqual(due);
          if (kind !== dueKindOf(head)) expect(head.dueMs).toBe(due);
          kind = dueKindOf(head);
        });
      }),
      { numRuns: 2_000 },
    );
  });

  it("W33, W37: a reaper ends exactly the runs that have waited for that long, only releases those that need no worker, and puts off an early entry", () => {
    const seen = { left: 0, released: 0, ended: 0 };
    fc.assert(
      fc.property(programs, limits, (program, asked) => {
        const story = tell(program);
        if (story === null) return;
        const { run, kind, sinceMs, nowMs, head } = story;
        const own = kind === "finished" ? "running" : kind;
        const limit: DueLimit = { ...asked, kind: asked.kind ?? own };
        const isDue = kind === limit.kind && nowMs - sinceMs >= limit.limitMs;
        const isKept = kind === "leased" && (runOf(head).resumable || head.runStatus === "waiting");
        const expected = isDue ? (isKept ? "released" : "ended") : "left";
        expect(run.decide(dueRule(limit), nowMs)).toBe(expected);
        seen[expected] += 1;
        if (expected === "ended") expectEnd(run, head, kind);
        else if (expected === "released") {
          const { runStatus, fence, lastSequence } = head;
          const lease = { leaseExpiresAtMs: null, fence };
          expect(run.head).toMatchObject({ runStatus, lastSequence, ...lease });
        } else {
          const isEarly = kind === limit.kind && head.dueMs < sinceMs;
          expect(run.head?.dueMs).toBe(isEarly ? sinceMs : head.dueMs);
          if (!isEarly) expect(run.head).toBe(head);
        }
      }),
      { numRuns: 4_000 },
    );
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(30);
  });

  it("S17: a run is removed only once it has finished, and by a purge only if that was long enough ago", () => {
    fc.assert(
      fc.property(programs, fc.nat(20), (program, finishedForMs) => {
        const story = tell(program);
        if (story === null) return;
        const { run, kind, sinceMs, nowMs } = story;
        // The clock may be before the run's end, and the owner may delete it all the same.
        const isOld = finishedForMs === 0 || nowMs - sinceMs >= finishedForMs;
        const expected = kind === "finished" && isOld ? "deleted" : "active";
        expect(run.decide(removalRule(finishedForMs), nowMs)).toBe(expected);
        expect(run.head === null).toBe(expected === "deleted");
      }),
      { numRuns: 2_000 },
    );
    expect(new OneRun().decide(removalRule(), 0)).toBe("not_found");
  });
});
