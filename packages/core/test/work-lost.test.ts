import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RunEventsError } from "../src/errors.ts";
import { createMemoryStore } from "../src/memory.ts";
import type { WorkedRun } from "../src/work.ts";
import { createDeferred } from "./deferred.ts";
import { aborted, createWorkWorld, LEASE, LEASE_MS, type WorkWorld } from "./work-world.ts";

const FENCED = { code: "fenced" };
const CANCELLED = { code: "run_finished", details: { runStatus: "cancelled" } };

let world: WorkWorld;
/** By how much the store's clock has come to run ahead of the worker's. */
let aheadMs = 0;

beforeEach(async () => {
  aheadMs = 0;
  world = await createWorkWorld((now) => createMemoryStore({ now: () => now() + aheadMs }));
});

afterEach(async () => {
  expect(world.leftOvers()).toBe(0);
  await world[Symbol.asyncDispose]();
});

/** What a call rejects with. */
async function failureOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    (value) => expect.unreachable(`It resolved with ${JSON.stringify(value)}.`),
    (error: unknown) => error,
  );
}

/** Another worker takes the run over, whose lease has run out for the store. */
async function takeOver(): Promise<void> {
  world.clock.skip(LEASE_MS);
  await world.others.claim("r", LEASE);
}

async function away(): Promise<never> {
  throw new RunEventsError("store_unavailable", "The store is away.");
}

describe("a cancel", () => {
  it("W13: reaches a worker that is quiet, within 100 ms, and its work rejects with it", async () => {
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

  it("W13: reaches one whose last append went to the store with it, under one bell", async () => {
    let writes: Promise<unknown> = Promise.resolve();
    const work = failureOf(
      world.runs.work("r", LEASE, async (run) => {
        await world.settle();
        writes = run.append([{ eventType: "A" }]);
        // It has its place in the queue of the log, whose next group goes out at the end of the turn.
        for (let microtasks = 0; microtasks < 5; microtasks++) await Promise.resolve();
        void world.runs.cancel("r");
        await aborted(run);
      }),
    );
    await world.settle();
    await writes;
    await world.pass(75);
    expect(await work).toMatchObject(CANCELLED);
    expect(await world.events()).toStrictEqual(["A", "RUN_CANCELLED"]);
  });

  it("W13: reaches one that writes with its next append, and nothing more is sent", async () => {
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

  it("S15: reaches one with its next renewal if every bell is lost", async () => {
    world.rings = false;
    const work = failureOf(world.runs.work("r", LEASE, aborted));
    await world.pass(10);
    await world.others.cancel("r");
    await world.pass(LEASE_MS / 3);
    expect(await work).toMatchObject(CANCELLED);
  });

  it("W13: is told to a task that never looks, once it has returned or thrown", async () => {
    const done = createDeferred<string>();
    const work = failureOf(world.runs.work("r", LEASE, async () => done.promise));
    await world.settle();
    await world.runs.cancel("r");
    await world.pass(10 * LEASE_MS);
    // Nothing is done any more meanwhile.
    expect(world.leftOvers()).toBe(0);
    done.resolve("done");
    expect(await work).toMatchObject(CANCELLED);
    expect(await world.events()).toStrictEqual(["RUN_CANCELLED"]);
  });

  it("W13: stands before what the task throws because of it, or of anything else", async () => {
    const work = failureOf(
      world.runs.work("r", LEASE, async (run) => {
        await aborted(run);
        throw new Error("stopped");
      }),
    );
    await world.settle();
    await world.runs.cancel("r");
    await world.pass(100);
    expect(await work).toMatchObject(CANCELLED);
  });

  it("W13: a run that somebody else ends otherwise says how", async () => {
    const work = failureOf(world.runs.work("r", LEASE, aborted));
    await world.settle();
    aheadMs = LEASE_MS;
    expect(await world.others.reap({ graceMs: 0 })).toStrictEqual(["r"]);
    await world.pass(100);
    expect(await work).toMatchObject({
      code: "run_finished",
      details: { runStatus: "failed", lastSequence: 1 },
    });
    expect(await world.events()).toStrictEqual(['RUN_FAILED {"reason":"lease_expired"}']);
  });

  it("S15: between the claim and the task keeps the task from being called", async () => {
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

  it("W7: races the completion, exactly one wins, and both are told", async () => {
    const winners = new Set<unknown>();
    for (let ahead = 0; ahead < 12; ahead++) {
      const { runId } = await world.runs.create({ ownerId: "ada" });
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
    // The bell rings, the run is looked at, and a renewal is refused.
    await world.pass(LEASE_MS / 2);
    expect(world.calls).toContain("renew");
    gate.resolve();
    expect(await work).toBe("done");
    expect(isAborted).toBe(false);
  });
});

describe("a lost lease", () => {
  it("S21: is told at the end of the lease if no renewal is answered, and nothing more is sent", async () => {
    world.intercepts.renew = async () => new Promise(() => {});
    const told: unknown[] = [];
    const work = failureOf(
      world.runs.work("r", LEASE, async (run) => {
        await aborted(run);
        told.push(world.clock.now(), run.signal.reason);
        void run.emit("A");
        told.push(await failureOf(run.append([{ eventType: "A" }])));
      }),
    );
    const from = world.clock.now();
    await world.pass(LEASE_MS - 1);
    expect(told).toStrictEqual([]);
    await world.pass(1);
    told.push(await work);
    expect(told).toMatchObject([from + LEASE_MS, FENCED, FENCED, FENCED]);
    expect(world.calls).not.toContain("append");
    expect(await world.events()).toStrictEqual([]);
  });

  it("S21: a store that is away in time costs nothing", async () => {
    const done = createDeferred<void>();
    const work = world.runs.work("r", LEASE, async () => done.promise);
    await world.settle();
    world.intercepts.renew = away;
    await world.pass(LEASE_MS - 150);
    delete world.intercepts.renew;
    await world.pass(LEASE_MS);
    done.resolve();
    await work;
    expect(await world.events()).toStrictEqual(["RUN_COMPLETED"]);
  });

  it("S22: a refused renewal tells of it at once", async () => {
    const work = failureOf(world.runs.work("r", LEASE, aborted));
    await world.settle();
    aheadMs = LEASE_MS;
    await world.others.claim("r", LEASE);
    await world.pass(LEASE_MS / 3);
    expect(await work).toMatchObject(FENCED);
    await world.others.append("r", [{ eventType: "THEIRS" }], { fence: 2 });
    expect(await world.events()).toStrictEqual(["THEIRS"]);
  });

  it("S21: a stopped process finds out with its first timer", async () => {
    const work = failureOf(world.runs.work("r", LEASE, aborted));
    await world.settle();
    await takeOver();
    world.clock.advance(0);
    expect(await work).toMatchObject(FENCED);
  });

  it("S21: a stopped process finds out with its first append if that comes first, and sends nothing", async () => {
    const work = failureOf(
      world.runs.work("r", LEASE, async (run) => {
        await takeOver();
        const sent = world.calls.length;
        expect(await failureOf(run.append([{ eventType: "A" }]))).toMatchObject(FENCED);
        expect(run.signal.reason).toMatchObject(FENCED);
        expect(world.calls).toHaveLength(sent);
      }),
    );
    expect(await work).toMatchObject(FENCED);
    expect(await world.events()).toStrictEqual([]);
  });

  it("S22: while an append is on its way: its answer counts, and what waits behind it is not sent", async () => {
    const gate = createDeferred<void>();
    const answers: unknown[] = [];
    const work = failureOf(
      world.runs.work("r", LEASE, async (run) => {
        world.intercepts.append = async (go) => {
          const answer = await go();
          await gate.promise;
          return answer;
        };
        const first = run.append([{ eventType: "A" }]);
        const second = failureOf(run.append([{ eventType: "B" }]));
        const third = run.emit("C");
        await third;
        await world.settle();
        await takeOver();
        world.clock.advance(0);
        gate.resolve();
        answers.push(await first, await second, run.signal.reason);
      }),
    );
    expect(await work).toMatchObject(FENCED);
    expect(answers).toMatchObject([{ lastSequence: 1 }, FENCED, FENCED]);
    expect(await world.events()).toStrictEqual(["A"]);
  });

  it("S22: an append on its way that comes too late is refused, whatever the worker believes", async () => {
    let run: WorkedRun | undefined;
    const work = failureOf(
      world.runs.work("r", LEASE, async (one) => {
        run = one;
        world.intercepts.append = async (go) => {
          await takeOver();
          return go();
        };
        void one.emit("A");
        await aborted(one);
      }),
    );
    expect(await work).toMatchObject(FENCED);
    expect(run?.signal.reason).toBe(await work);
    expect(await world.events()).toStrictEqual([]);
  });

  it("S21: an answer to the claim that comes after the lease's end calls no task", async () => {
    world.intercepts.claim = async (go) => {
      const claimed = await go();
      await takeOver();
      return claimed;
    };
    let calls = 0;
    const error = await failureOf(world.runs.work("r", LEASE, () => (calls += 1)));
    expect(error).toMatchObject(FENCED);
    expect(calls).toBe(0);
  });

  it("S22: whose completion has landed after all is no lost one", async () => {
    world.intercepts.append = async (go) => {
      const answer = await go();
      world.clock.skip(LEASE_MS);
      world.clock.advance(0);
      return answer;
    };
    expect(await world.runs.work("r", LEASE, () => "done")).toBe("done");
  });
});
