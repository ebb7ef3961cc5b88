import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { claimRun, releaseRun, renewLease } from "../src/rules/claims.ts";
import { checkWorkerName, isWorkerName } from "../src/rules/worker-name.ts";
import { createRunEvents } from "../src/run-events.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import { runRecord } from "./run-record.ts";

const name = fc.constantFrom(null, "w-1", "w-2");
const ASKED = { runId: "r", ownerId: null };

describe("checkWorkerName", () => {
  it("W44: a text of 1 to 100 code points without control characters is a name, and nothing else is", () => {
    const longest = "\u{1f375}".repeat(100);
    for (const good of ["w", "x".repeat(100), longest]) expect(checkWorkerName(good)).toBe(good);
    for (const none of [null, undefined]) expect(checkWorkerName(none)).toBeNull();
    for (const bad of ["", "x".repeat(101), `${longest}x`, "a\n", "\ud83c", 7, ["w"], true]) {
      expect(isWorkerName(bad)).toBe(false);
      expect(() => checkWorkerName(bad)).toThrow(
        expect.objectContaining({ code: "invalid_request" }),
      );
    }
  });
});

describe("the name of a run's worker", () => {
  it("S21, W44: is the last granted claim's while its lease is there, no matter what is asked for", () => {
    const step = fc.oneof(
      fc.record({
        do: fc.constant("claim" as const),
        worker: name,
        claimKey: fc.constantFrom("c", "d"),
        afterMs: fc.nat({ max: 3 }),
      }),
      fc.record({ do: fc.constantFrom("renew" as const, "release" as const) }),
    );
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        let run = runRecord();
        let nowMs = 1_000;
        let kept: { readonly claimKey: string; readonly worker: string | null } | null = null;
        for (const one of steps) {
          const { fence } = run;
          if (one.do === "claim") {
            nowMs += one.afterMs;
            const before = run;
            const asked = { ...ASKED, leaseMs: 2, claimKey: one.claimKey, worker: one.worker };
            const outcome = claimRun(run, asked, nowMs, kept?.claimKey ?? null);
            if (outcome.outcome !== "granted") continue;
            run = outcome.run;
            if (run.fence !== before.fence) kept = { claimKey: one.claimKey, worker: one.worker };
          } else if (one.do === "renew") {
            const outcome = renewLease(run, { ...ASKED, fence, leaseMs: 2 }, nowMs);
            if (outcome.outcome === "granted") run = outcome.run;
          } else {
            const outcome = releaseRun(run, { ...ASKED, fence }, nowMs);
            if (outcome.outcome === "granted") run = outcome.run;
            kept = null;
          }
          expect(run.worker).toBe(run.leaseExpiresAtMs === null ? null : (kept?.worker ?? null));
        }
      }),
    );
  });

  it("W44: is in the snapshots of a run that is worked on, and in those of a claim; a bad one claims nothing", async () => {
    const runs = createRunEvents({ store: createMemoryStore() });
    const { runId } = await runs.create({ ownerId: "ada" });
    for (const worker of ["", 7 as unknown as string]) {
      const refused = { code: "invalid_request" };
      await expect(runs.claim(runId, { leaseMs: 1_000, worker })).rejects.toMatchObject(refused);
      await expect(runs.work(runId, { leaseMs: 1_000, worker }, () => 1)).rejects.toMatchObject(
        refused,
      );
    }
    const { fence, expiresAt } = await runs.claim(runId, { leaseMs: 60_000, worker: "w-1" });
    expect((await runs.get(runId)).lease).toStrictEqual({ worker: "w-1", expiresAt });
    await runs.release(runId, fence);
    await runs.work(runId, { leaseMs: 60_000, worker: "w-2" }, async () => {
      expect((await runs.get(runId)).lease?.worker).toBe("w-2");
      expect((await runs.list({ ownerId: "ada" })).runs[0]?.lease?.worker).toBe("w-2");
    });
    expect((await runs.get(runId)).lease).toBeNull();
    await runs.close();
  });
});
