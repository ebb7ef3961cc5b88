import { describe, expect, it } from "vitest";
import type { WorkStart } from "../src/rules/telemetry.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import type { AdasRuns } from "./adas-runs.ts";
import { observe } from "./observed-runs.ts";
import { settleTurns } from "./settle-turns.ts";

const LEASE = { leaseMs: 30_000 };

describe("work", () => {
  it.each<readonly [string, Parameters<AdasRuns["work"]>[2], string]>([
    ["returns", () => 1, "completed"],
    [
      "throws",
      () => {
        throw new TypeError("secret");
      },
      "failed",
    ],
    ["cancels its run", (run) => run.append([{ eventType: "RUN_CANCELLED" }]), "cancelled"],
    ["parks its run", (run) => run.park(), "parked"],
  ])(
    "a work whose task %s is reported with its begin and its end",
    async (_what, task, outcome) => {
      const { runs, of, all } = await observe();
      await runs.work("r", LEASE, task).catch(() => {});
      expect(of("work_begun")).toStrictEqual([{ type: "work_begun", runId: "r", ms: 0 }]);
      expect(of("work_ended")).toStrictEqual([{ type: "work_ended", runId: "r", ms: 0, outcome }]);
      expect(of("lease_lost")).toStrictEqual([]);
      expect(JSON.stringify(all)).not.toContain("secret");
    },
  );

  it("W32: a cancel by others is reported as a lost lease at once, before the task has stopped", async () => {
    const { runs, clock, of } = await observe();
    const reported: unknown[] = [];
    await runs
      .work("r", LEASE, async (run) => {
        await runs.cancel("r");
        await settleTurns(8);
        clock.advance(25);
        await settleTurns(8);
        expect(run.signal.aborted).toBe(true);
        reported.push(...of("lease_lost"), ...of("work_ended"));
      })
      .catch(() => {});
    expect(reported).toStrictEqual([{ type: "lease_lost", runId: "r", reason: "run_finished" }]);
    expect(of("work_ended")).toMatchObject([{ outcome: "lost" }]);
    expect(of("lease_lost")).toHaveLength(1);
  });

  it("S18: a work that a shutdown stops is reported as left", async () => {
    const { runs, of } = await observe();
    const work = runs.work("r", LEASE, async (run) => {
      await new Promise((resolve) => run.signal.addEventListener("abort", resolve));
    });
    await settleTurns(8);
    await runs.close();
    await work.catch(() => {});
    expect(of("work_ended")).toMatchObject([{ outcome: "left" }]);
  });

  it("the work begins where `aroundWork` calls `begin`, with the run's metadata, and `begin` resolves with the end", async () => {
    const seen: unknown[] = [];
    const aroundWork = (work: WorkStart, begin: () => Promise<unknown>): void => {
      seen.push(work.runId, work.lastSequence, work.metadata());
      void begin().then((end) => seen.push(end));
      seen.push("begun");
    };
    const { runs } = await observe(createMemoryStore(), { aroundWork });
    await runs.append("r", [{ eventType: "A" }]);
    const task = (): string => {
      seen.push("task");
      return "value";
    };
    expect(await runs.work("r", LEASE, task)).toBe("value");
    const { done } = await runs.start({ runId: "s", metadata: [1], ...LEASE }, task);
    expect(await done).toBe("value");
    const end = { outcome: "completed", ms: 0 };
    const work = ["begun", "task", end];
    expect(seen).toStrictEqual(["r", 1, { from: "chat" }, ...work, "s", 0, [1], ...work]);
  });
});
