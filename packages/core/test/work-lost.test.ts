import { describe, expect, it } from "vitest";
import type { WorkedRun } from "../src/work/worked-run.ts";
import { createDeferred } from "./deferred.ts";
import { aborted, failureOf, LEASE, LEASE_MS, useWorkWorld } from "./work-world.ts";

const FENCED = { code: "fenced" };

const world = useWorkWorld();

/** Another worker claims the run, whose lease has expired by the store's clock. */
async function takeOver(): Promise<void> {
  world.clock.skip(LEASE_MS);
  await world.others.claim("r", LEASE);
}

describe("a lost lease", () => {
  it("W31: the worker stops at the end of the lease if no renewal is answered, and nothing more is sent", async () => {
    const gate = createDeferred<void>();
    world.intercepts.renew = async (go) => {
      await gate.promise;
      return go();
    };
    const reasons: unknown[] = [];
    const work = failureOf(
      world.runs.work("r", LEASE, async (run) => {
        await aborted(run);
        reasons.push(world.clock.now(), run.signal.reason);
        void run.emit("A");
        reasons.push(await failureOf(run.append([{ eventType: "A" }])));
      }),
    );
    const from = world.clock.now();
    await world.pass(LEASE_MS - 1);
    expect(reasons).toStrictEqual([]);
    await world.pass(1);
    reasons.push(await work);
    expect(reasons).toMatchObject([from + LEASE_MS, FENCED, FENCED, FENCED]);
    expect(reasons[3]).toHaveProperty(
      "message",
      "The lease expired: another worker may have the run. Stop.",
    );
    expect(world.calls).not.toContain("append");
    expect(await world.events()).toStrictEqual([]);
    gate.resolve();
    await world.settle();
  });

  it("W32: a refused renewal stops the worker at once", async () => {
    const work = failureOf(world.runs.work("r", LEASE, aborted));
    await world.settle();
    world.ahead.ms = LEASE_MS;
    const { fence } = await world.others.claim("r", LEASE);
    await world.pass(LEASE_MS / 3);
    expect(await work).toMatchObject(FENCED);
    await world.others.append("r", [{ eventType: "THEIRS" }], { fence });
    expect(await world.events()).toStrictEqual(["THEIRS"]);
  });

  it("W31: a suspended process finds the lease over with its first append if that comes first, and sends nothing", async () => {
    const reasons: unknown[] = [];
    const work = failureOf(
      world.runs.work("r", LEASE, async (run) => {
        await takeOver();
        reasons.push(await failureOf(run.append([{ eventType: "A" }])), run.signal.reason);
      }),
    );
    reasons.push(await work);
    expect(reasons).toMatchObject([FENCED, FENCED, FENCED]);
    expect(world.calls).not.toContain("append");
    expect(await world.events()).toStrictEqual([]);
  });

  it("W32: if the lease is lost while an append is on its way, its answer counts, and later requests are not sent", async () => {
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

  it("W32: an append on its way that comes too late is refused, even if the worker believes in its lease", async () => {
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

  it("W31: an answer to the claim that comes after the lease's end calls no task", async () => {
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

  it("W31: a claim that took longer than its lease, without another claim since, is renewed before the task begins", async () => {
    world.intercepts.claim = async (go) => {
      const claimed = await go();
      world.clock.skip(LEASE_MS);
      return claimed;
    };
    const work = world.runs.work("r", LEASE, async () => {
      await world.pass(LEASE_MS * 2);
      return "done";
    });
    expect(await work).toBe("done");
    expect(world.calls.filter((call) => call === "claim")).toHaveLength(1);
    expect(await world.events()).toStrictEqual(['RUN_COMPLETED "done"']);
  });

  it("W32: a lease whose completion has landed after all is not lost", async () => {
    world.intercepts.append = async (go) => {
      const answer = await go();
      world.clock.skip(LEASE_MS);
      world.clock.advance(0);
      return answer;
    };
    expect(await world.runs.work("r", LEASE, () => "done")).toBe("done");
  });

  it("W32: a lost lease takes precedence over a shutdown that comes with it, and nothing is released", async () => {
    const shutdown = new AbortController();
    const work = failureOf(
      world.runs.work("r", { ...LEASE, signal: shutdown.signal }, async (run) => {
        await aborted(run);
        shutdown.abort(new Error("the host goes down"));
        throw run.signal.reason;
      }),
    );
    await world.settle();
    await takeOver();
    world.clock.advance(0);
    expect(await work).toMatchObject(FENCED);
    expect(world.calls).not.toContain("release");
  });
});
