import { describe, expect, it } from "vitest";
import type { RunEventsError } from "../src/rules/errors.ts";
import { createDeferred } from "./deferred.ts";
import { expectFree, REASON } from "./shutdown-reason.ts";
import { aborted, away, LEASE, LEASE_MS, useWorkWorld } from "./work-world.ts";

const world = useWorkWorld();

function options(): { readonly leaseMs: number; readonly signal: AbortSignal } {
  return { ...LEASE, signal: world.shutdown.signal };
}

describe("a shutdown of work", () => {
  it("W31: a shutdown stops a task that throws, and releases its run for another worker, which continues it", async () => {
    let first = Number.NaN;
    const work = world.runs.work("r", options(), async (run) => {
      first = run.fence;
      await run.append([{ eventType: "A" }]);
      await aborted(run);
      expect(run.signal.reason).toBe(REASON);
      run.signal.throwIfAborted();
    });
    await world.settle();
    world.shutdown.abort(REASON);
    await expect(work).rejects.toBe(REASON);
    const next = await world.others.work("r", LEASE, ({ fence, lastSequence }) => [
      fence > first,
      lastSequence,
    ]);
    expect(next).toStrictEqual([true, 1]);
    expect(await world.events()).toStrictEqual(["A", "RUN_COMPLETED [true,1]"]);
  });

  it("W31: a shutdown waits for a task that ignores the signal, and sends its emitted events before it releases", async () => {
    const done = createDeferred<void>();
    const work = world.runs.work("r", options(), async (run) => {
      await done.promise;
      for (let at = 0; at < 3; at++) void run.emit("A", at);
      throw new Error("not because of it");
    });
    await world.settle();
    world.shutdown.abort(REASON);
    await world.pass(10 * LEASE_MS);
    expect(await world.runs.get("r")).toMatchObject({ runStatus: "queued" });
    const gate = createDeferred<void>();
    world.intercepts.append = async (go) => {
      await gate.promise;
      return go();
    };
    done.resolve();
    await world.settle();
    expect(world.calls).not.toContain("release");
    gate.resolve();
    await expect(work).rejects.toBe(REASON);
    expect(await world.events()).toStrictEqual(["A 0", "A 1", "A 2"]);
    await expectFree(world);
  });

  it("W32: once the run is released nothing more is sent", async () => {
    let late: Promise<unknown> = Promise.resolve();
    const work = world.runs.work("r", options(), async (run) => {
      await aborted(run);
      late = work.catch(() => run.append([{ eventType: "A" }]));
      throw run.signal.reason;
    });
    await world.settle();
    world.shutdown.abort(REASON);
    await expect(work).rejects.toBe(REASON);
    await expect(late).rejects.toMatchObject({ code: "fenced" });
    expect(world.calls).not.toContain("append");
  });

  it("W13: a cancel during a shutdown takes precedence", async () => {
    const work = world.runs.work("r", options(), async (run) => {
      await aborted(run);
      await world.others.cancel("r");
      throw run.signal.reason;
    });
    await world.settle();
    world.shutdown.abort(REASON);
    await expect(work).rejects.toMatchObject({
      code: "run_finished",
      details: { runStatus: "cancelled" },
    });
  });

  it("W31: a store that is away takes no release, and work ends all the same: the lease expires", async () => {
    const work = world.runs.work("r", options(), async (run) => {
      await aborted(run);
      throw run.signal.reason;
    });
    await world.settle();
    world.intercepts.release = away;
    world.shutdown.abort(REASON);
    await expect(work).rejects.toBe(REASON);
    await world.pass(LEASE_MS);
    await expectFree(world);
  });

  it("W31: a shutdown does not wait for a store that is away: work rejects, and emitted events are given up", async () => {
    const work = world.runs.work("r", options(), async (run) => {
      await world.settle();
      world.intercepts.append = away;
      void run.emit("A");
      await aborted(run);
    });
    await world.pass(100);
    world.shutdown.abort(REASON);
    const rejected = expect(work).rejects.toMatchObject({ code: "store_unavailable" });
    await world.pass(100);
    await rejected;
  });

  it("W31: a shutdown before the claim claims nothing, and one during it releases at once", async () => {
    let calls = 0;
    const task = (): unknown => (calls += 1);
    world.intercepts.claim = async (go) => {
      const claimed = await go();
      world.shutdown.abort(REASON);
      return claimed;
    };
    await expect(world.runs.work("r", options(), task)).rejects.toBe(REASON);
    expect(world.calls).toStrictEqual(["claim", "getRun", "release"]);
    await expect(world.runs.work("r", options(), task)).rejects.toBe(REASON);
    expect([calls, world.calls.length]).toStrictEqual([0, 3]);
  });

  it("W31: a shutdown does not wait for a first check that hangs", async () => {
    world.intercepts.getRun = async () => new Promise(() => {});
    const work = world.runs.work("r", options(), () => {});
    await world.settle();
    world.shutdown.abort(REASON);
    await expect(work).rejects.toBe(REASON);
    await expectFree(world);
  });
});

describe("close", () => {
  it.each([
    ["the runs", () => world.runs.close()],
    ["their log", () => world.runs.log.close()],
  ])(
    "S18: close of %s shuts work down, waits for it, and then closes the store",
    async (_, close) => {
      const done = createDeferred<void>();
      const order: string[] = [];
      const work = world.runs.work("r", LEASE, async (run) => {
        await aborted(run);
        order.push(String((run.signal.reason as RunEventsError).code));
        await done.promise;
        await run.append([{ eventType: "LAST" }]);
        throw run.signal.reason;
      });
      const over = work.catch((error: RunEventsError) => order.push(error.message));
      await world.settle();
      const closed = Promise.all([close(), close()]).then(() => order.push("closed"));
      await world.pass(LEASE_MS);
      expect(order).toStrictEqual(["store_unavailable"]);
      done.resolve();
      await Promise.all([over, closed]);
      // The message differs from that of a closed store: this is not an outage, and another worker may continue the run.
      const message =
        "This process is shutting down: `close` was called. Another worker may continue the run.";
      expect(order).toStrictEqual(["store_unavailable", message, "closed"]);
      expect(await world.events()).toStrictEqual(["LAST"]);
      await expectFree(world);
    },
  );

  it("S18: close waits for a claim that is on its way, too, and takes no more work", async () => {
    const gate = createDeferred<void>();
    world.intercepts.claim = async (go) => {
      await gate.promise;
      return go();
    };
    let calls = 0;
    const work = expect(world.runs.work("r", LEASE, () => (calls += 1))).rejects.toMatchObject({
      code: "store_unavailable",
    });
    const closed = world.runs.close();
    gate.resolve();
    await Promise.all([work, closed]);
    await expect(world.runs.work("r", LEASE, () => (calls += 1))).rejects.toMatchObject({
      code: "store_unavailable",
      retryable: false,
    });
    expect(calls).toBe(0);
    await expectFree(world);
  });
});
