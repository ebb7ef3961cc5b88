import { describe, expect, it } from "vitest";
import { JsonText } from "../src/rules/json-text.ts";
import type { WorkOptions } from "../src/work/work-options.ts";
import type { WorkedRun } from "../src/work/worked-run.ts";
import { createDeferred } from "./deferred.ts";
import { LEASE, LEASE_MS, useWorkWorld } from "./work-world.ts";

const world = useWorkWorld();

describe("work", () => {
  it("W6: work completes a run with what the task returns, and appends nothing else", async () => {
    const value = await world.runs.work("r", LEASE, async () => ({ answer: 42 }));
    expect(value).toStrictEqual({ answer: 42 });
    expect(await world.events()).toStrictEqual(['RUN_COMPLETED {"answer":42}']);
    expect(await world.runs.get("r")).toMatchObject({ runStatus: "completed" });
  });

  it("W6: work completes a run without a payload if the task returns nothing", async () => {
    expect(await world.runs.work("r", LEASE, () => {})).toBeUndefined();
    expect(await world.events()).toStrictEqual(["RUN_COMPLETED"]);
  });

  it("W6: work keeps the JSON text that the task returns", async () => {
    await world.runs.work("r", LEASE, async () => JsonText.parse("1.0"));
    const { events } = await world.runs.log.readPage("r", { ownerId: "ada" });
    expect(events.map(({ payload }) => payload)).toStrictEqual(["1.0"]);
  });

  it("W43: work fails a run whose task throws, without a word of the error, and rejects with it", async () => {
    const error = new Error("no more whales at https://provider.example?key=secret");
    const work = world.runs.work("r", LEASE, async (run) => {
      await run.append([{ eventType: "HIT" }]);
      throw error;
    });
    await expect(work).rejects.toBe(error);
    expect(await world.events()).toStrictEqual(["HIT", 'RUN_FAILED {"reason":"error"}']);
  });

  it("W43: the message of a failed run is what describeError makes of the error", async () => {
    const error = new Error("no more whales");
    const describeError = (thrown: unknown): string => `Found: ${String(thrown === error)}.`;
    const work = world.runs.work("r", { ...LEASE, describeError }, () => Promise.reject(error));
    await expect(work).rejects.toBe(error);
    expect(await world.events()).toStrictEqual([
      'RUN_FAILED {"reason":"error","message":"Found: true."}',
    ]);
  });

  it.each<readonly [string, () => string | undefined]>([
    ["returns undefined", () => undefined],
    ["returns no text", () => 42 as unknown as string],
    [
      "throws",
      () => {
        throw new Error("in turn");
      },
    ],
  ])("W43: a describeError that %s gives no message", async (_, describeError) => {
    const error = new Error("of the task");
    const work = world.runs.work("r", { ...LEASE, describeError }, () => Promise.reject(error));
    await expect(work).rejects.toBe(error);
    expect(await world.events()).toStrictEqual(['RUN_FAILED {"reason":"error"}']);
  });

  it("W9, W43: a message that no payload can hold is cut", async () => {
    const describeError = (): string => "\u0000".repeat(1_000_000);
    const work = world.runs.work("r", { ...LEASE, describeError }, () => {
      throw new Error("long");
    });
    await expect(work).rejects.toThrow("long");
    expect((await world.events())[0]?.length).toBeGreaterThan(200_000);
  });

  it("W41-W43: work refuses options that it cannot use, before it claims the run", async () => {
    for (const bad of [
      { merge: { TOKEN: "concat" } },
      { mergeMs: -1 },
      { mergeMs: 10_001 },
      { onShutdown: "stop" },
      { describeError: "message" },
    ]) {
      const options = { ...LEASE, ...bad } as unknown as WorkOptions;
      const [name = ""] = Object.keys(bad);
      await expect(world.runs.work("r", options, () => {})).rejects.toThrow(TypeError);
      await expect(world.runs.work("r", options, () => {})).rejects.toThrow(name);
    }
    expect(world.calls).toStrictEqual([]);
  });

  it.each(["RUN_COMPLETED", "RUN_FAILED", "RUN_CANCELLED"])(
    "W7: work keeps a run that the task has ended with %s",
    async (eventType) => {
      const value = await world.runs.work("r", LEASE, async (run) => {
        await run.append([{ eventType }]);
        return "more";
      });
      expect(value).toBe("more");
      expect(await world.events()).toStrictEqual([eventType]);
    },
  );

  it("W7: work rejects with what a task throws that has ended its run, which stays as it is", async () => {
    const work = world.runs.work("r", LEASE, async (run) => {
      await run.append([{ eventType: "RUN_COMPLETED" }]);
      throw new Error("afterwards");
    });
    await expect(work).rejects.toThrow("afterwards");
    expect(await world.events()).toStrictEqual(["RUN_COMPLETED"]);
  });

  it("W7: a task that has not waited for its own end has ended the run all the same", async () => {
    await world.runs.work("r", LEASE, (run) => void run.append([{ eventType: "RUN_FAILED" }]));
    expect(await world.events()).toStrictEqual(["RUN_FAILED"]);
    const { runId } = await world.runs.create({ runId: "s" });
    await world.runs.work(runId, LEASE, (run) => void run.emit("RUN_FAILED"));
    expect((await world.runs.read(runId)).events).toHaveLength(1);
  });

  it("W31: the task gets the last sequence and the fence of the claim", async () => {
    await world.runs.append("r", [{ eventType: "A" }, { eventType: "B" }]);
    const before = await world.runs.claim("r", LEASE);
    await world.pass(LEASE_MS);
    const seen = await world.runs.work("r", LEASE, ({ runId, fence, lastSequence, signal }) => ({
      runId,
      fence,
      lastSequence,
      isAborted: signal.aborted,
    }));
    const lease = { runId: "r", fence: before.fence + LEASE_MS * 1_000 };
    expect(seen).toStrictEqual({ ...lease, lastSequence: 2, isAborted: false });
  });

  it("W32: no other writer writes to the run meanwhile, and the lease is renewed for as long as the task takes", async () => {
    const done = createDeferred<void>();
    const work = world.runs.work("r", LEASE, async (run) => {
      await done.promise;
      await run.append([{ eventType: "MINE" }]);
    });
    await world.pass(10 * LEASE_MS);
    await expect(world.others.append("r", [{ eventType: "A" }])).rejects.toMatchObject({
      code: "fenced",
    });
    await expect(world.others.claim("r", LEASE)).rejects.toMatchObject({ code: "claimed" });
    expect(world.calls.filter((call) => call === "renew")).toHaveLength(30);
    done.resolve();
    await work;
    expect(await world.events()).toStrictEqual(["MINE", "RUN_COMPLETED"]);
  });

  it("W9: events land in the order of the calls, awaited or not", async () => {
    await world.runs.work("r", LEASE, async (run) => {
      void run.emit("A", 1);
      void run.emit("A", 2);
      const phase = run.phase("compose");
      void run.emit("A", 3);
      const receipt = run.append([{ eventType: "B" }, { eventType: "B" }]);
      void run.emit("A", 4);
      expect(await receipt).toMatchObject({ firstSequence: 5, lastSequence: 6 });
      expect(await phase).toMatchObject({ firstSequence: 3, currentPhase: "compose" });
      await run.emit("A", 5);
    });
    expect(await world.events()).toStrictEqual([
      "A 1",
      "A 2",
      'PHASE_STARTED {"phase":"compose"}',
      "A 3",
      "B",
      "B",
      "A 4",
      "A 5",
      "RUN_COMPLETED",
    ]);
  });

  it("W9: a task's events are taken as they are at the call", async () => {
    await world.runs.work("r", LEASE, async (run) => {
      const payload = { text: "a" };
      const draft = { eventType: "A", payload };
      void run.emit("A", payload);
      const appended = run.append([draft]);
      payload.text = "b";
      void run.emit("A", payload);
      await appended;
    });
    expect(await world.events()).toStrictEqual([
      'A {"text":"a"}',
      'A {"text":"a"}',
      'A {"text":"b"}',
      "RUN_COMPLETED",
    ]);
  });

  it("W10, W11: a task appends under a key and at a sequence, and continues when that is refused", async () => {
    await world.runs.work("r", LEASE, async (run) => {
      const keyed = { idempotencyKey: "k" };
      const first = await run.append([{ eventType: "A" }], keyed);
      expect(await run.append([{ eventType: "A" }], keyed)).toStrictEqual({
        ...first,
        replayed: true,
      });
      const conflict = run.append([{ eventType: "A" }], { expectedSequence: 0 });
      await expect(conflict).rejects.toMatchObject({ code: "sequence_conflict" });
      await expect(run.append([{ eventType: "a" }])).rejects.toMatchObject({
        code: "invalid_event",
        details: { index: 0 },
      });
      await expect(run.append([{ eventType: "A" }, { eventType: "A", payload: 1n }]))
        .rejects //
        .toMatchObject({ code: "invalid_event", details: { index: 1 } });
      await run.append([{ eventType: "B" }], { expectedSequence: 1 });
      expect(run.signal.aborted).toBe(false);
    });
    expect(await world.events()).toStrictEqual(["A", "B", "RUN_COMPLETED"]);
  });

  it("S13: work leaves no timer and no subscription, and takes nothing more after its end", async () => {
    let kept: WorkedRun | undefined;
    await world.runs.work("r", LEASE, async (run) => {
      kept = run;
      await world.pass(LEASE_MS);
      expect(world.leftOvers()).toBe(2);
    });
    expect(world.leftOvers()).toBe(0);
    const over = { code: "run_finished", details: { runStatus: "completed", lastSequence: 1 } };
    await expect(kept?.append([{ eventType: "A" }])).rejects.toMatchObject(over);
    await expect(kept?.emit("A")).rejects.toMatchObject(over);
    await expect(kept?.phase("p")).rejects.toMatchObject(over);
    expect(world.calls.filter((call) => call === "append")).toHaveLength(1);
  });

  it("S13: a run that the task ends by itself is followed and renewed no more", async () => {
    const done = createDeferred<void>();
    const work = world.runs.work("r", LEASE, async (run) => {
      await run.append([{ eventType: "RUN_COMPLETED" }]);
      expect(world.leftOvers()).toBe(0);
      await done.promise;
      expect(run.signal.aborted).toBe(false);
    });
    await world.pass(10 * LEASE_MS);
    done.resolve();
    await work;
    expect(world.calls).not.toContain("renew");
  });

  it("W31: work is refused like a claim, before the task is called", async () => {
    let calls = 0;
    const work = async (runId: string, leaseMs = LEASE_MS): Promise<unknown> =>
      world.runs.work(runId, { leaseMs }, () => (calls += 1));
    await expect(work("none")).rejects.toMatchObject({ code: "not_found" });
    await expect(work("r", 999)).rejects.toMatchObject({ code: "invalid_request" });
    await world.others.claim("r", LEASE);
    await expect(work("r")).rejects.toMatchObject({ code: "claimed" });
    await world.runs.cancel("r");
    await expect(work("r")).rejects.toMatchObject({ code: "run_finished" });
    expect([calls, world.leftOvers()]).toStrictEqual([0, 0]);
  });
});
