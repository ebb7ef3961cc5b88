import { describe, expect, it } from "vitest";
import type { RunEventsError } from "../src/rules/errors.ts";
import { createDeferred } from "./deferred.ts";
import { expectFree } from "./shutdown-reason.ts";
import { away, failureOf, LEASE, LEASE_MS, useWorkWorld } from "./work-world.ts";

const world = useWorkWorld();

describe("a worker that parks its run", () => {
  it("W40: parking gives the run back after all events so far, and work resolves with what the task returns", async () => {
    const work = world.runs.work("r", LEASE, async (run) => {
      for (let at = 0; at < 3; at++) void run.emit("A", at);
      await run.append([{ eventType: "INPUT_REQUESTED" }]);
      void run.emit("B");
      return run.park();
    });
    expect(await work).toStrictEqual({ parked: true, lastSequence: 5 });
    expect(await world.runs.get("r")).toMatchObject({ runStatus: "waiting", lastSequence: 5 });
    await world.pass(10 * LEASE_MS);
    expect(await world.others.reap({ graceMs: 0, confirmMs: 0 })).toStrictEqual([]);
    expect(await world.others.get("r")).toMatchObject({ runStatus: "waiting" });
    await world.others.input("r", "yes");
    await expectFree(world);
  });

  it("W40: a park that is not awaited parks too, and what is used after it is fenced", async () => {
    const failures: unknown[] = [];
    const value = await world.runs.work("r", LEASE, async (run) => {
      void run.park();
      for (const call of [
        run.append([{ eventType: "A" }]),
        run.ask("?"),
        run.complete(),
        run.park(),
      ]) {
        failures.push(await failureOf(call));
      }
      return 7;
    });
    expect(value).toBe(7);
    const codes = failures.map((error) => (error as RunEventsError).code);
    expect(codes).toStrictEqual(["fenced", "fenced", "fenced", "fenced"]);
    expect(await world.events()).toStrictEqual([]);
  });

  it("W40: a park while a question is open is refused with what to do, and one that was given up may be parked", async () => {
    const patience = new AbortController();
    const work = world.runs.work("r", LEASE, async (run) => {
      const asked = failureOf(run.ask("?", { signal: patience.signal }));
      const refused = await failureOf(run.park());
      patience.abort(new Error("no answer yet"));
      return [refused, await asked, await run.park()];
    });
    await world.settle();
    expect(await work).toStrictEqual([
      expect.objectContaining({
        name: "TypeError",
        message: expect.stringContaining("Append INPUT_REQUESTED in place of `run.ask`"),
      }),
      patience.signal.reason,
      { parked: true, lastSequence: 1 },
    ]);
    expect(await world.events()).toStrictEqual(['INPUT_REQUESTED "?"']);
    await expectFree(world);
  });

  it("W40: an event that is emitted after the park is fenced, and work rejects with it", async () => {
    const work = world.runs.work("r", LEASE, async (run) => {
      await run.park();
      await run.emit("A").catch(() => {});
    });
    await expect(work).rejects.toMatchObject({
      code: "fenced",
      message: expect.stringContaining("parked"),
    });
    expect(await world.events()).toStrictEqual([]);
    await expectFree(world);
  });

  it("W40: a task that throws after the park does not end its run", async () => {
    const error = new Error("after the park");
    const work = world.runs.work("r", LEASE, async (run) => {
      await run.park();
      throw error;
    });
    await expect(work).rejects.toBe(error);
    expect(await world.events()).toStrictEqual([]);
  });

  it("W40: a park waits for a renewal that is on its way, and none is sent after it, which would be refused", async () => {
    const gate = createDeferred<void>();
    world.intercepts.renew = async (go) => {
      await gate.promise;
      return go();
    };
    const work = world.runs.work("r", LEASE, async (run) => {
      await world.pass(LEASE_MS / 3);
      const park = run.park();
      await world.pass(LEASE_MS / 3);
      gate.resolve();
      const { parked } = await park;
      return [parked, run.signal.aborted];
    });
    expect(await work).toStrictEqual([true, false]);
    expect(world.calls).toStrictEqual(["claim", "getRun", "renew", "release"]);
  });

  it("W40: a release that the store does not take is made again while the lease lasts", async () => {
    let failures = 2;
    world.intercepts.release = async (go) => (failures-- > 0 ? away() : go());
    const work = world.runs.work("r", LEASE, async (run) => run.park());
    await world.pass(200);
    expect(await work).toMatchObject({ parked: true });
    await expectFree(world);
  });

  it("W40: a run that cannot be released while the lease lasts is lost", async () => {
    world.intercepts.release = away;
    const work = world.runs.work("r", LEASE, async (run) => run.park());
    const failure = failureOf(work);
    await world.pass(2 * LEASE_MS);
    expect(await failure).toMatchObject({ code: "store_unavailable" });
  });
});
