import { beforeEach, describe, expect, it, vi } from "vitest";
import { isRunLog } from "../src/index-wire.ts";
import * as core from "../src/index.ts";
import { ADA } from "./adas-runs.ts";

type Core = typeof core;

/** A second copy of the package, as if two versions were installed: each module is loaded again. */
let other: Core;

beforeEach(async () => {
  vi.resetModules();
  other = await import("../src/index.ts");
  expect(other.RunEventsError).not.toBe(core.RunEventsError);
  expect(other.JsonText).not.toBe(core.JsonText);
});

const LONG = "12345678901234567890";

describe("two copies of the package in one process", () => {
  it("W1: a payload that is the other copy's JsonText is taken as its text", async () => {
    const runs = core.createRunEvents({ store: other.createMemoryStore() });
    const { runId } = await runs.create({ ownerId: "ada", metadata: other.JsonText.parse(LONG) });
    await runs.append(runId, [{ eventType: "A", payload: other.JsonText.parse(LONG) }], ADA);
    const { events } = await runs.log.readPage(runId, ADA);
    const { metadata } = await runs.log.getRun(runId, ADA);
    expect([events[0]?.payload, metadata]).toStrictEqual([LONG, LONG]);
    expect(other.JsonText.parse(LONG)).toBeInstanceOf(core.JsonText);
  });

  it("W3: the other copy's error keeps its code, and is an instance of RunEventsError", async () => {
    const error = await other
      .createRunEvents({ store: core.createMemoryStore() })
      .get("none", ADA)
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(core.RunEventsError);
    expect(error).toBeInstanceOf(Error);
    expect(error instanceof core.RunEventsError && error.code).toBe("not_found");
  });

  it("S7: an append in doubt on the other copy's store is sent again, and lands once", async () => {
    const store = other.createMemoryStore();
    let isLost = true;
    const runs = core.createRunEvents({
      store: {
        ...store,
        capabilities: { ...store.capabilities, losesAnswers: true },
        async append(requests) {
          const outcomes = await store.append(requests);
          if (!isLost) return outcomes;
          isLost = false;
          throw new other.RunEventsError("store_unavailable", "lost", { ambiguous: true });
        },
      },
    });
    const { runId } = await runs.create({ ownerId: "ada" });
    expect(await runs.append(runId, [{ eventType: "A" }], ADA)).toMatchObject({ lastSequence: 1 });
  });

  it("W32: the other copy's refusal ends a worker as its own does", async () => {
    const runs = core.createRunEvents({ store: other.createMemoryStore() });
    const { runId } = await runs.create({ ownerId: "ada" });
    const work = runs.work(runId, { ...ADA, leaseMs: 1_000 }, async () => {
      throw new other.RunEventsError("store_unavailable", "The store is away.");
    });
    await expect(work).rejects.toMatchObject({ code: "store_unavailable" });
    // An event that the store has not taken does not fail the run.
    expect(await runs.get(runId, ADA)).toMatchObject({ runStatus: "queued" });
  });

  it("isRunLog accepts the other copy's log, one that is made of its members, and nothing else", () => {
    const { log } = other.createRunEvents({ store: other.createMemoryStore() });
    expect([log, { ...log }].map(isRunLog)).toStrictEqual([true, true]);
    const none = [null, undefined, "log", {}, { log }, core.createMemoryStore()];
    expect(none.map(isRunLog)).toStrictEqual(none.map(() => false));
  });

  it("a value that only resembles one of the package's is not accepted", () => {
    const error = Object.assign(new Error("m"), { name: "RunEventsError", code: "fenced" });
    expect(error).not.toBeInstanceOf(core.RunEventsError);
    expect({ text: "1" }).not.toBeInstanceOf(core.JsonText);
    for (const value of [null, undefined, 1, "x"] as unknown[])
      expect(value instanceof core.RunEventsError).toBe(false);
    expect(core.JsonText.of({ text: "1" }).text).toBe('{"text":"1"}');
  });

  it("a class that extends RunEventsError has its own instances", () => {
    class Own extends core.RunEventsError {}
    expect(new Own("internal", "m")).toBeInstanceOf(core.RunEventsError);
    expect(new Own("internal", "m")).toBeInstanceOf(Own);
    expect(new core.RunEventsError("internal", "m")).not.toBeInstanceOf(Own);
  });
});
