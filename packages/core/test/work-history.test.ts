import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AppendOutcome } from "../src/rules/append.ts";
import { aborted, createWorkWorld, failureOf, LEASE, type WorkWorld } from "./work-world.ts";

const CHANGED = { code: "history_changed", retryable: false };

let world: WorkWorld;

beforeEach(async () => {
  world = await createWorkWorld();
});

afterEach(async () => {
  expect(world.leftOvers()).toBe(0);
  await world[Symbol.asyncDispose]();
});

/** From now on appends land where a store puts them that has lost so many events. */
function loseEvents(count: number): void {
  world.intercepts.append = async (go) => {
    const outcomes = (await go()) as readonly AppendOutcome[];
    return outcomes.map((outcome) =>
      "firstSequence" in outcome
        ? {
            ...outcome,
            firstSequence: outcome.firstSequence - count,
            lastSequence: outcome.lastSequence - count,
          }
        : outcome,
    ) as never;
  };
}

describe("W46: a worker whose log has lost its end", () => {
  it("gets history_changed at its next append, and stops: nothing more is sent", async () => {
    const reasons: unknown[] = [];
    const work = failureOf(
      world.runs.work("r", LEASE, async (run) => {
        await run.append([{ eventType: "A" }, { eventType: "B" }]);
        loseEvents(1);
        reasons.push(await failureOf(run.append([{ eventType: "C" }])));
        reasons.push(run.signal.reason);
        reasons.push(await failureOf(run.append([{ eventType: "D" }])));
      }),
    );
    reasons.push(await work);
    expect(reasons).toMatchObject([CHANGED, CHANGED, CHANGED, CHANGED]);
    expect(reasons[0]).toMatchObject({ details: { lastSequence: 2 } });
    expect(world.calls.filter((call) => call === "append")).toHaveLength(2);
    // The lease expires, and another worker reads the log as it is now.
    expect(world.calls).not.toContain("release");
  });

  it("an emitted event that lands before an earlier one aborts the signal", async () => {
    const work = failureOf(
      world.runs.work("r", LEASE, async (run) => {
        await run.append([{ eventType: "A" }]);
        loseEvents(1);
        void run.emit("B");
        await aborted(run);
        throw run.signal.reason;
      }),
    );
    await world.settle();
    expect(await work).toMatchObject(CHANGED);
  });

  it("a run whose end lands before an earlier event has not been completed for its worker", async () => {
    const work = failureOf(
      world.runs.work("r", LEASE, async (run) => {
        await run.append([{ eventType: "A" }, { eventType: "B" }]);
        loseEvents(2);
      }),
    );
    expect(await work).toMatchObject(CHANGED);
  });

  it("the first append is held against the log as it was when the run was claimed", async () => {
    await world.others.append("r", [{ eventType: "A" }, { eventType: "B" }]);
    loseEvents(1);
    const work = world.runs.work("r", LEASE, (run) => run.append([{ eventType: "C" }]));
    expect(await failureOf(work)).toMatchObject(CHANGED);
  });

  it("neither a replay of an earlier append nor events of others in between are a sign of it", async () => {
    const batch = [{ eventType: "A" }];
    const how = { idempotencyKey: "k" };
    await world.runs.work("r", LEASE, async (run) => {
      await run.append(batch, how);
      await run.append([{ eventType: "B" }]);
      expect(await run.append(batch, how)).toMatchObject({ firstSequence: 1, replayed: true });
      loseEvents(-3);
      expect(await run.append([{ eventType: "C" }])).toMatchObject({ firstSequence: 6 });
      loseEvents(-9);
      await run.append([{ eventType: "D" }]);
    });
    expect((await world.events()).at(-1)).toBe("RUN_COMPLETED");
  });
});
