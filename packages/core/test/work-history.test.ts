import { describe, expect, it } from "vitest";
import type { AppendLanding } from "../src/rules/append.ts";
import { failureOf, LEASE, useWorkWorld } from "./work-world.ts";

const CHANGED = { code: "history_changed", retryable: false };

const world = useWorkWorld();

/** From now on appends land where a store puts them that has lost this many events. */
function loseEvents(count: number): void {
  world.intercepts.append = async (go) => moved(await go(), -count) as never;
}

/** An answer of the store, with each landing in it moved. */
function moved(answer: unknown, by: number): unknown {
  if (Array.isArray(answer)) return answer.map((one: unknown) => moved(one, by));
  if (!isLanding(answer)) return answer;
  const { firstSequence, lastSequence } = answer;
  return { ...answer, firstSequence: firstSequence + by, lastSequence: lastSequence + by };
}

function isLanding(answer: unknown): answer is AppendLanding {
  return typeof answer === "object" && answer !== null && "firstSequence" in answer;
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

  it("the first append is held against the log as it was when the run was claimed", async () => {
    await world.others.append("r", [{ eventType: "A" }, { eventType: "B" }]);
    loseEvents(1);
    const work = world.runs.work("r", LEASE, (run) => run.append([{ eventType: "C" }]));
    expect(await failureOf(work)).toMatchObject(CHANGED);
  });
});

describe("W40, W46: inputs of a worker whose log has lost its end", () => {
  /** Makes the log that is there now: of these events, some time after the others. */
  async function restore(events: readonly (readonly [string, unknown])[]): Promise<string> {
    await world.pass(25);
    await world.others.create({ runId: "s" });
    for (const [eventType, payload] of events) {
      if (eventType === "INPUT_RECEIVED") await world.others.input("s", payload);
      else await world.others.append("s", [{ eventType, payload }]);
    }
    return "s";
  }

  it.each([
    [
      "an input is in its place",
      [
        ["INPUT_RECEIVED", 1],
        ["INPUT_RECEIVED", 2],
      ],
    ],
    [
      "another question is in its place",
      [
        ["INPUT_REQUESTED", { milk: false }],
        ["INPUT_RECEIVED", 2],
      ],
    ],
    ["the log ends right before it", []],
  ] as const)("a question is not answered if %s", async (_, events) => {
    const reasons: unknown[] = [];
    const now = await restore(events);
    world.intercepts.append = async (go) => {
      const answer = await go();
      world.readAs = now;
      return answer;
    };
    const work = failureOf(
      world.runs.work("r", LEASE, async (run) => {
        reasons.push(await failureOf(run.ask({ milk: true })), run.signal.reason);
        return "no answer";
      }),
    );
    reasons.push(await work);
    expect(reasons).toMatchObject([CHANGED, CHANGED, CHANGED]);
    expect(reasons[0]).toMatchObject({ details: { lastSequence: events.length } });
    // Nothing is appended, and the lease expires.
    expect(await world.events()).toStrictEqual(['INPUT_REQUESTED {"milk":true}']);
    expect(world.calls).not.toContain("release");
  });

  it("a question is not waited for if the log ends long before it", async () => {
    await world.others.append("r", [{ eventType: "A" }, { eventType: "B" }]);
    const now = await restore([["A", 0]]);
    const work = world.runs.work("r", LEASE, async (run) => {
      const asked = run.ask("?");
      world.readAs = now;
      return asked;
    });
    expect(await failureOf(work)).toMatchObject({ ...CHANGED, details: { lastSequence: 1 } });
  });

  it("an iteration after the claim ends, and the worker has to stop", async () => {
    const got: unknown[] = [];
    await world.others.append("r", [{ eventType: "A" }, { eventType: "B" }]);
    const now = await restore([
      ["A", 0],
      ["B", 0],
      ["INPUT_RECEIVED", "later"],
    ]);
    const work = failureOf(
      world.runs.work("r", LEASE, async (run) => {
        world.readAs = now;
        for await (const { payload } of run.inputs()) got.push(payload);
        got.push(run.signal.reason);
      }),
    );
    got.push(await work);
    expect(got).toMatchObject([CHANGED, CHANGED]);
  });
});
