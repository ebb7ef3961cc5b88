import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { appenderOf, isFenced } from "../src/rules/lease.ts";
import { claimRun, releaseRun } from "../src/rules/claims.ts";
import { advanceRun, judgeAppend } from "../src/rules/judge-append.ts";
import { idleSince, isIdle, type LiveStatus } from "../src/rules/idle.ts";
import type { RunRecord } from "../src/rules/run.ts";
import { appendRequest, newEvent, runRecord } from "./run-record.ts";

const START = 1_000;
const ANY = { runId: "r", ownerId: null };
const LIVE: readonly LiveStatus[] = ["queued", "running", "waiting"];

/** What happens to a run, and how long after what happened before. */
const step = fc.record({
  do: fc.constantFrom("TOKEN", "INPUT_REQUESTED", "claim", "release", "put off", "wait"),
  ms: fc.nat({ max: 5 }),
});

/** A run with its whole history: when it last had an event, and when it last had a lease. */
interface Story {
  readonly run: RunRecord;
  readonly nowMs: number;
  readonly lastEventMs: number | null;
  readonly lastLeaseMs: number | null;
}

function tell(steps: readonly { readonly do: string; readonly ms: number }[]): Story {
  let run = runRecord();
  let [nowMs, lastEventMs, lastLeaseMs]: [number, number | null, number | null] = [
    START,
    null,
    null,
  ];
  for (const one of steps) {
    nowMs += one.ms;
    const wasLeased = run.leaseExpiresAtMs !== null;
    if (one.do === "claim") {
      const claimed = claimRun(run, { ...ANY, leaseMs: 1_000 }, nowMs, null);
      if (claimed.outcome === "granted") ({ run } = claimed);
    } else if (one.do === "release") {
      const released = releaseRun(run, { ...ANY, fence: run.fence }, nowMs);
      if (released.outcome === "granted") ({ run } = released);
    } else if (one.do === "put off") {
      run = { ...run, idleFromMs: idleSince(run) };
    } else if (one.do !== "wait") {
      const appender = appenderOf(run.leaseExpiresAtMs === null ? undefined : run.fence);
      const request = appendRequest([newEvent(one.do)], { appender });
      if (judgeAppend(run, null, request, nowMs) === null) {
        ({ run } = advanceRun(run, request, nowMs));
        lastEventMs = nowMs;
      }
    }
    const isLeased = wasLeased || run.leaseExpiresAtMs !== null;
    if (isLeased && run.runStatus !== "queued") lastLeaseMs = nowMs;
  }
  return { run, nowMs, lastEventMs, lastLeaseMs };
}

describe("a run that no worker works on", () => {
  it("S28: a queued run counts from its creation, any other from its last event or the end of its last lease", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
        const { run, lastEventMs } = tell(steps);
        if (run.runStatus === "queued") {
          expect(idleSince(run)).toBe(START);
          return;
        }
        expect(idleSince(run)).toBeGreaterThanOrEqual(lastEventMs ?? 0);
        expect(idleSince(run)).toBe(Math.max(run.idleFromMs, lastEventMs ?? 0));
      }),
    );
  });

  it("S28: the time that the index has is never later than the one that counts, no matter what happens to the run", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const { run } = tell(steps);
        expect(run.idleFromMs).toBeLessThanOrEqual(idleSince(run));
      }),
    );
  });

  it("S28: a release starts the time again, and the same release sent again does not", () => {
    const held = runRecord({ runStatus: "waiting", fence: 7, leaseExpiresAtMs: 5_000 });
    const released = releaseRun(held, { ...ANY, fence: 7 }, 3_000);
    expect(released).toMatchObject({ outcome: "granted", run: { idleFromMs: 3_000 } });
    if (released.outcome !== "granted") return;
    const again = releaseRun(released.run, { ...ANY, fence: 7 }, 4_000);
    expect(again).toStrictEqual(released);
  });

  it("S28, W37: a sweeper ends exactly the runs of its status that have no lease and have been idle for long enough", () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 8 }),
        fc.constantFrom(...LIVE),
        fc.nat({ max: 20 }),
        (steps, runStatus, idleForMs) => {
          const { run, nowMs } = tell(steps);
          const isDue =
            run.runStatus === runStatus &&
            run.leaseExpiresAtMs === null &&
            nowMs - idleSince(run) >= idleForMs;
          expect(isIdle(run, { runStatus, idleForMs }, nowMs)).toBe(isDue);
          expect(isFenced(run, { by: "sweeper", runStatus, idleForMs }, nowMs)).toBe(!isDue);
        },
      ),
    );
  });

  it("S28: a run with an event in the last moments is not idle, and neither is one that was released in them", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), fc.integer({ min: 1, max: 9 }), (steps, ms) => {
        const { run, nowMs, lastEventMs, lastLeaseMs } = tell(steps);
        const lastMs = Math.max(lastEventMs ?? 0, lastLeaseMs ?? 0);
        if (run.runStatus === "queued" || nowMs - lastMs >= ms) return;
        for (const runStatus of LIVE) {
          expect(isIdle(run, { runStatus, idleForMs: ms }, nowMs)).toBe(false);
        }
      }),
    );
  });
});
