import { describe, expect, it } from "vitest";
import { createDeferred } from "./deferred.ts";
import { expectFree, REASON } from "./shutdown-reason.ts";
import { aborted, away, createWorkWorld, LEASE, LEASE_MS, useWorkWorld } from "./work-world.ts";

const world = useWorkWorld();

function options(): { readonly leaseMs: number; readonly signal: AbortSignal } {
  return { ...LEASE, signal: world.shutdown.signal };
}

describe("the end of a run whose worker was shut down", () => {
  it("W42: a task that returns after a shutdown has not completed its run, which is released for another worker", async () => {
    const work = world.runs.work("r", options(), async (run) => {
      void run.emit("TOKEN", "half an ans");
      await aborted(run);
      return "half an ans";
    });
    await world.settle();
    world.shutdown.abort(REASON);
    await expect(work).rejects.toBe(REASON);
    expect(await world.events()).toStrictEqual(['TOKEN "half an ans"']);
    await expectFree(world);
  });

  it("W42: a task that completes its run after a shutdown has done its work", async () => {
    const work = world.runs.work("r", options(), async (run) => {
      await aborted(run);
      void run.emit("LAST");
      const receipt = await run.complete("done");
      expect(receipt).toMatchObject({ lastSequence: 2, runStatus: "completed" });
      return "for the caller";
    });
    await world.settle();
    world.shutdown.abort(REASON);
    expect(await work).toBe("for the caller");
    expect(await world.events()).toStrictEqual(["LAST", 'RUN_COMPLETED "done"']);
  });

  it("W42: a completion that the task does not await counts, and one that is refused does not", async () => {
    const work = world.runs.work("r", options(), async (run) => {
      await aborted(run);
      await expect(run.complete(1n)).rejects.toMatchObject({ code: "invalid_event" });
      void run.complete("done");
    });
    await world.settle();
    world.shutdown.abort(REASON);
    await work;
    expect(await world.events()).toStrictEqual(['RUN_COMPLETED "done"']);
    const { runId } = await world.runs.create({ runId: "s" });
    await using again = await createWorkWorld();
    const down = new AbortController();
    const refused = again.runs.work("r", { ...LEASE, signal: down.signal }, async (run) => {
      await aborted(run);
      await run.complete(1n).catch(() => {});
    });
    await again.settle();
    down.abort(REASON);
    await expect(refused).rejects.toBe(REASON);
    expect([runId, await again.events()]).toStrictEqual(["s", []]);
  });

  it("W42: a shutdown while the events of a task that has returned are on their way does not undo the return", async () => {
    const gate = createDeferred<void>();
    world.intercepts.append = async (go) => {
      await gate.promise;
      return go();
    };
    const work = world.runs.work("r", options(), (run) => {
      void run.emit("LAST");
      return "whole";
    });
    await world.settle();
    expect(world.calls.filter((call) => call === "append")).toHaveLength(1);
    world.shutdown.abort(REASON);
    await world.settle();
    gate.resolve();
    expect(await work).toBe("whole");
    expect(await world.events()).toStrictEqual(["LAST", 'RUN_COMPLETED "whole"']);
  });

  it.each(["returns", "throws"])(
    "W42, W43: with onShutdown fail, a run whose task %s after a shutdown fails with that reason",
    async (how) => {
      const settings = { ...options(), onShutdown: "fail" } as const;
      const work = world.runs.work("r", settings, async (run) => {
        await aborted(run);
        if (how === "throws") throw new Error("a secret");
      });
      await world.settle();
      world.shutdown.abort(REASON);
      await expect(work).rejects.toBe(REASON);
      expect(await world.events()).toStrictEqual(['RUN_FAILED {"reason":"shutdown"}']);
      expect(world.calls).not.toContain("release");
    },
  );

  it("W42: with onShutdown fail, an end that the store does not take leaves the lease to expire", async () => {
    const settings = { ...options(), onShutdown: "fail" } as const;
    const work = world.runs.work("r", settings, aborted);
    await world.settle();
    world.intercepts.append = away;
    world.shutdown.abort(REASON);
    await expect(work).rejects.toBe(REASON);
    expect(await world.events()).toStrictEqual([]);
    await world.pass(LEASE_MS);
    await expectFree(world);
  });

  it("W42, W43: with onShutdown fail, an emitted event that was refused is the reason", async () => {
    const settings = { ...options(), onShutdown: "fail" } as const;
    const work = world.runs.work("r", settings, async (run) => {
      await world.settle();
      world.shutdown.abort(REASON);
      void run.emit("no type");
    });
    await expect(work).rejects.toMatchObject({ code: "invalid_event" });
    expect(await world.events()).toStrictEqual(['RUN_FAILED {"reason":"error"}']);
  });
});
