import { describe, expect, it } from "vitest";
import { RunEventsError } from "../src/rules/errors.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import { useWorkWorld } from "./work-world.ts";

describe("work over a store that loses acknowledgements", () => {
  const world = useWorkWorld((now) => {
    const store = createMemoryStore({ now });
    return { ...store, capabilities: { ...store.capabilities, losesAnswers: true } };
  });

  /** Appends land, but their answers are lost, until the returned function is called. */
  function loseAnswers(): () => void {
    world.intercepts.append = async (go) => {
      await go();
      throw new RunEventsError("store_unavailable", "The answer is lost.", { ambiguous: true });
    };
    return () => void delete world.intercepts.append;
  }

  it("S7: an emitted event in doubt for longer than 10 s is sent under one key for as long as the lease lasts, and lands once", async () => {
    const lease = { leaseMs: 60_000 };
    const work = world.runs.work("r", lease, async (run) => {
      const heal = loseAnswers();
      void run.emit("A");
      await world.pass(25_000);
      expect(run.signal.aborted).toBe(false);
      heal();
      await run.append([{ eventType: "B" }]);
    });
    await world.pass(35_000);
    await work;
    expect(await world.events()).toStrictEqual(["A", "B", "RUN_COMPLETED"]);
  });

  it("S7, W7: a worker's own end, in doubt when a renewal finds the run ended, is the end of its task", async () => {
    const lease = { leaseMs: 60_000 };
    const heal = loseAnswers();
    const work = world.runs.work("r", lease, () => "done");
    await world.pass(25_000);
    heal();
    await world.pass(2_000);
    expect(await work).toBe("done");
    expect(await world.events()).toStrictEqual(['RUN_COMPLETED "done"']);
  });

  it("S7, W7: a worker's own end stays in doubt while the store is away, and a renewal that finds the run ended decides nothing", async () => {
    const lease = { leaseMs: 60_000 };
    let attempts = 0;
    world.intercepts.append = async (go) => {
      attempts += 1;
      if (attempts === 1) await go();
      throw new RunEventsError("store_unavailable", "The store is away.", {
        ambiguous: attempts === 1,
      });
    };
    const work = world.runs.work("r", lease, () => "done");
    await world.pass(25_000);
    expect(world.calls).toContain("renew");
    delete world.intercepts.append;
    await world.pass(2_000);
    expect(await work).toBe("done");
    expect(await world.events()).toStrictEqual(['RUN_COMPLETED "done"']);
  });
});
