import { describe, expect, it } from "vitest";
import type { RunEventsError } from "../src/rules/errors.ts";
import { createDeferred } from "./deferred.ts";
import { aborted, failureOf, LEASE, LEASE_MS, useWorkWorld } from "./work-world.ts";

const CANCELLED = { code: "run_finished", details: { runStatus: "cancelled" } };

const world = useWorkWorld();

describe("a cancel", () => {
  it("W13: a cancel reaches a quiet worker within 100 ms, and its work rejects with it", async () => {
    let reason: unknown;
    const work = failureOf(
      world.runs.work("r", LEASE, async (run) => {
        await aborted(run);
        reason = run.signal.reason;
      }),
    );
    await world.pass(100);
    await world.runs.cancel("r");
    await world.pass(100);
    expect(reason).toMatchObject(CANCELLED);
    expect(await work).toBe(reason);
    expect(await world.events()).toStrictEqual(["RUN_CANCELLED"]);
  });

  it("W13: a cancel reaches a worker that writes with its next append, and nothing more is sent", async () => {
    const errors: unknown[] = [];
    const work = failureOf(
      world.runs.work("r", LEASE, async (run) => {
        await run.append([{ eventType: "A" }]);
        await world.others.cancel("r");
        errors.push(await failureOf(run.append([{ eventType: "A" }])));
        errors.push(run.signal.reason);
        const sent = world.calls.length;
        errors.push(await failureOf(run.append([{ eventType: "A" }])));
        errors.push(await failureOf(run.emit("A")), await failureOf(run.phase("p")));
        expect(world.calls).toHaveLength(sent);
      }),
    );
    errors.push(await work);
    expect(errors).toHaveLength(6);
    for (const error of errors) expect(error).toBe(errors[0]);
    expect(errors[0]).toMatchObject(CANCELLED);
  });

  it("S12: the run is not checked for a cancel while the worker's own appends land", async () => {
    const work = failureOf(
      world.runs.work("r", LEASE, async (run) => {
        for (let appends = 0; appends < 40 && !run.signal.aborted; appends++) {
          await run.append([{ eventType: "A" }]);
          await world.pass(20);
        }
        expect(world.calls.filter((call) => call === "getRun")).toHaveLength(1);
        await world.runs.cancel("r");
        await aborted(run);
      }),
    );
    await world.settle();
    while (world.calls.filter((call) => call === "append").length < 41) await world.settle();
    await world.pass(100);
    expect(await work).toMatchObject(CANCELLED);
  });

  it("S13: a cancel reaches a worker with its next renewal if every notification is lost", async () => {
    world.notifyCount = false;
    const work = failureOf(world.runs.work("r", LEASE, aborted));
    await world.pass(10);
    await world.others.cancel("r");
    await world.pass(LEASE_MS / 3);
    expect(await work).toMatchObject(CANCELLED);
  });

  it("W13: a cancel rejects the work of a task that ignores the signal, once it has returned or thrown", async () => {
    const done = createDeferred<string>();
    const work = failureOf(world.runs.work("r", LEASE, async () => done.promise));
    await world.settle();
    await world.runs.cancel("r");
    await world.pass(10 * LEASE_MS);
    // Meanwhile nothing more happens.
    expect(world.leftOvers()).toBe(0);
    done.resolve("done");
    expect(await work).toMatchObject(CANCELLED);
    expect(await world.events()).toStrictEqual(["RUN_CANCELLED"]);
  });

  it("W13: after a cancel between the claim and the task, the task is not called", async () => {
    world.intercepts.claim = async (go) => {
      const claimed = await go();
      await world.others.cancel("r");
      return claimed;
    };
    let calls = 0;
    const error = await failureOf(world.runs.work("r", LEASE, () => (calls += 1)));
    expect(error).toMatchObject(CANCELLED);
    expect(calls).toBe(0);
  });

  it("W7: of a cancel and a completion that race exactly one wins, and both callers get the result", async () => {
    const winners = new Set<unknown>();
    for (let ahead = 0; ahead < 12; ahead++) {
      const { runId } = await world.runs.create();
      const turn = createDeferred<void>();
      const work = world.runs
        .work(runId, LEASE, async () => turn.promise)
        .then(
          () => "completed",
          (error: RunEventsError) => error.details.runStatus,
        );
      await world.settle();
      turn.resolve();
      for (let turns = 0; turns < ahead; turns++) await Promise.resolve();
      const cancelled = await world.runs.cancel(runId);
      await world.pass(100);
      const { events, runStatus } = await world.runs.read(runId);
      expect(events).toHaveLength(1);
      expect([cancelled.runStatus, await work]).toStrictEqual([runStatus, runStatus]);
      winners.add(runStatus);
    }
    expect(winners).toStrictEqual(new Set(["cancelled", "completed"]));
  });

  it("W7: while the completion's answer is late the worker does not take its own end for another's", async () => {
    const gate = createDeferred<void>();
    world.intercepts.append = async (go) => {
      const answer = await go();
      await gate.promise;
      return answer;
    };
    let isAborted = false;
    const work = world.runs.work("r", LEASE, (run) => {
      run.signal.addEventListener("abort", () => (isAborted = true));
      return "done";
    });
    // The notification comes, the run is checked, and a renewal is refused.
    await world.pass(LEASE_MS / 2);
    expect(world.calls.slice(0, 5)).toStrictEqual(["claim", "getRun", "append", "getRun", "renew"]);
    gate.resolve();
    expect(await work).toBe("done");
    expect(isAborted).toBe(false);
  });
});
