import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { RunEventsError, storeClosed } from "../src/rules/errors.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import { aborted, createWorkWorld, LEASE, LEASE_MS, useWorkWorld } from "./work-world.ts";

const world = useWorkWorld();

function storeAway(ambiguous = false): RunEventsError {
  return new RunEventsError("store_unavailable", "The store is away.", { ambiguous });
}

/** Appends fail this often, then no more. */
function failAppends(times: number, error = storeAway()): void {
  let left = times;
  world.intercepts.append = async (go) => {
    if (left-- > 0) throw error;
    return go();
  };
}

/** Expects that the run is free once its lease has expired, and no sooner, and that a reaper finds it. */
async function expectLeftToExpire(): Promise<void> {
  await expect(world.others.claim("r", LEASE)).rejects.toMatchObject({ code: "claimed" });
  await world.pass(LEASE_MS);
  expect(await world.others.reap({ graceMs: 0, confirmMs: 0 })).toStrictEqual([
    { ownerId: "ada", runId: "r" },
  ]);
}

describe("an emitted event", () => {
  it("S20: an emitted event is sent again for as long as the lease lasts, with later events in order", async () => {
    failAppends(6);
    const work = world.runs.work("r", LEASE, async (run) => {
      void run.emit("A", 1);
      await world.settle();
      void run.emit("A", 2);
      await run.append([{ eventType: "B" }]);
    });
    await world.pass(2 * LEASE_MS);
    await work;
    expect(await world.events()).toStrictEqual(["A 1", "A 2", "B", "RUN_COMPLETED"]);
  });

  it("S7: an emitted event in doubt is sent again only by the log: the lease expires by itself", async () => {
    failAppends(1, storeAway(true));
    const work = world.runs.work("r", LEASE, async (run) => {
      void run.emit("A");
      await aborted(run);
    });
    await expect(work).rejects.toMatchObject({ code: "store_unavailable", ambiguous: true });
    expect(world.calls.filter((call) => call === "append")).toHaveLength(1);
    await expectLeftToExpire();
  });

  it("S18: an emitted event is not sent again to a store that is closed", async () => {
    failAppends(Number.POSITIVE_INFINITY, storeClosed());
    const work = world.runs.work("r", LEASE, async (run) => {
      void run.emit("A");
      await aborted(run);
    });
    const rejected = expect(work).rejects.toMatchObject({ code: "store_unavailable" });
    await world.pass(2 * LEASE_MS);
    await rejected;
    expect(world.calls.filter((call) => call === "append")).toHaveLength(1);
  });

  it.each([
    ["invalid_event", "no type", null],
    ["invalid_event", "A", 1n],
    ["payload_too_large", "A", "x".repeat(300_000)],
  ])(
    "W9: an emitted value that is not an event (%s) stops the work, which fails with it",
    async (code, type, payload) => {
      const reasons: unknown[] = [];
      const work = world.runs.work("r", LEASE, async (run) => {
        void run.emit("A", 1);
        const refused = run.emit(type, payload);
        void run.emit("A", 2);
        await expect(refused).rejects.toMatchObject({ code });
        await aborted(run);
        reasons.push(run.signal.reason);
        await run.append([{ eventType: "B" }]).catch((error: unknown) => reasons.push(error));
        throw new Error("of the task");
      });
      await expect(work).rejects.toMatchObject({ code });
      expect(reasons).toMatchObject([{ code }, { code }]);
      // Earlier emitted events have landed, and no later ones have.
      expect(await world.events()).toStrictEqual(["A 1", expect.stringContaining("RUN_FAILED")]);
    },
  );

  it("W9: an emitted event that is not awaited and cannot be sent rejects only at work", async () => {
    const work = world.runs.work("r", LEASE, (run) => void run.emit("no type"));
    await expect(work).rejects.toMatchObject({ code: "invalid_event" });
    expect(await world.events()).toHaveLength(1);
  });

  it("W7: an emitted event after the run's own end, in the same turn, is not lost in silence either", async () => {
    const work = world.runs.work("r", LEASE, (run) => {
      void run.emit("RUN_COMPLETED");
      void run.emit("A");
    });
    await expect(work).rejects.toMatchObject({ code: "run_finished" });
    expect(await world.events()).toStrictEqual(["RUN_COMPLETED"]);
  });
});

describe("an append", () => {
  it("S20: the task may try an append that failed again", async () => {
    failAppends(1);
    await world.runs.work("r", LEASE, async (run) => {
      const append = async (): Promise<unknown> => run.append([{ eventType: "A" }]);
      await expect(append()).rejects.toMatchObject({ code: "store_unavailable" });
      expect(run.signal.aborted).toBe(false);
      await append();
    });
    expect(await world.events()).toStrictEqual(["A", "RUN_COMPLETED"]);
  });
});

describe("the end of a run", () => {
  it("S20: a failure that cannot be appended is still the task's own failure", async () => {
    failAppends(1, storeAway(true));
    const error = new Error("no more whales");
    await expect(world.runs.work("r", LEASE, async () => Promise.reject(error))).rejects.toBe(
      error,
    );
    expect(await world.events()).toStrictEqual([]);
  });

  it("S20: the end of a run is sent again for as long as the lease lasts", async () => {
    failAppends(4);
    const work = world.runs.work("r", LEASE, () => "done");
    await world.pass(LEASE_MS);
    expect(await work).toBe("done");
    expect(await world.events()).toStrictEqual(['RUN_COMPLETED "done"']);
  });

  it.each([
    ["RUN_COMPLETED", async () => "done"],
    ["RUN_FAILED", async () => Promise.reject(new Error("no more whales"))],
  ])("W31: an end that never lands loses the run with its lease: %s", async (_type, task) => {
    failAppends(Number.POSITIVE_INFINITY);
    world.intercepts.renew = async () => Promise.reject(storeAway());
    const work = expect(world.runs.work("r", LEASE, task)).rejects.toMatchObject({
      code: "fenced",
    });
    await world.pass(2 * LEASE_MS);
    await work;
  });

  it("S7: an end in doubt fails no run: its lease expires, and work rejects with the error in doubt", async () => {
    failAppends(1, storeAway(true));
    const work = world.runs.work("r", LEASE, () => "done");
    await expect(work).rejects.toMatchObject({ code: "store_unavailable", ambiguous: true });
    expect(await world.events()).toStrictEqual([]);
    await expectLeftToExpire();
  });

  it("W9: an end that no payload can hold fails the run", async () => {
    await expect(world.runs.work("r", LEASE, () => 1n)).rejects.toMatchObject({
      code: "invalid_event",
    });
    expect(await world.events()).toStrictEqual(['RUN_FAILED {"reason":"error"}']);
    const { runId } = await world.runs.create();
    await expect(world.runs.work(runId, LEASE, () => "x".repeat(300_000))).rejects.toMatchObject({
      code: "payload_too_large",
    });
    expect(await world.runs.get(runId)).toMatchObject({ runStatus: "failed" });
  });

  it("S20: a task that throws because the store was away fails no run: another worker may continue it", async () => {
    const error = storeAway();
    const work = world.runs.work("r", LEASE, async (run) => {
      await run.append([{ eventType: "A" }]);
      throw error;
    });
    await expect(work).rejects.toBe(error);
    expect(await world.events()).toStrictEqual(["A"]);
    await expectLeftToExpire();
  });
});

describe("a store whose subscribe throws", () => {
  it("W31: a worker that cannot subscribe to its run renews nothing, so that another one gets the run", async () => {
    await using broken = await createWorkWorld((now) => ({
      ...createMemoryStore({ now }),
      subscribe() {
        throw new Error("no subscription");
      },
    }));
    await expect(broken.runs.work("r", LEASE, () => {})).rejects.toThrow("no subscription");
    expect(broken.clock.timers()).toBe(0);
  });
});

describe("a process that works", () => {
  it("a process that works stays alive for its task, and ends when that is over", async () => {
    const core = new URL("../src/index.ts", import.meta.url).href;
    const script = `import { createMemoryStore, createRunEvents } from ${JSON.stringify(core)};
      const runs = createRunEvents({ store: createMemoryStore() }).as("ada");
      const { runId } = await runs.create();
      // The task waits only for a timer that does not keep the process alive.
      await runs.work(runId, { leaseMs: 1000 }, () => new Promise((resolve) => setTimeout(resolve, 20).unref()));
      console.log((await runs.get(runId)).runStatus);`;
    const { stdout } = await promisify(execFile)(process.execPath, [
      "--input-type=module",
      "-e",
      script,
    ]);
    expect(stdout).toBe("completed\n");
  });
});
