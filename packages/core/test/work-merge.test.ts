import { describe, expect, it } from "vitest";
import { RunEventsError } from "../src/rules/errors.ts";
import { createDeferred } from "./deferred.ts";
import { aborted, LEASE, useWorkWorld } from "./work-world.ts";

const world = useWorkWorld();

const MERGING = { ...LEASE, merge: { TOKEN: (texts: string[]) => texts.join("") } };

describe("work that merges", () => {
  it("W41: what gathers while an append is on its way becomes one event, and nothing is delayed for it", async () => {
    const gate = createDeferred<void>();
    world.intercepts.append = async (go) => {
      await gate.promise;
      return go();
    };
    const work = world.runs.work("r", MERGING, async (run) => {
      void run.emit("TOKEN", "a");
      await world.settle();
      expect(world.calls.filter((call) => call === "append")).toHaveLength(1);
      for (const token of ["b", "c", "d"]) void run.emit("TOKEN", token);
      await world.settle();
      gate.resolve();
    });
    await work;
    expect(await world.events()).toStrictEqual(['TOKEN "a"', 'TOKEN "bcd"', "RUN_COMPLETED"]);
  });

  it("W41: events are not merged across another type or an append", async () => {
    await world.runs.work("r", MERGING, (run) => {
      for (const token of ["a", "b"]) void run.emit("TOKEN", token);
      void run.emit("OTHER", "x");
      for (const token of ["c", "d"]) void run.emit("TOKEN", token);
      void run.append([
        { eventType: "TOKEN", payload: "e" },
        { eventType: "TOKEN", payload: "f" },
      ]);
      for (const token of ["g", "h"]) void run.emit("TOKEN", token);
    });
    expect(await world.events()).toStrictEqual([
      'TOKEN "ab"',
      'OTHER "x"',
      'TOKEN "cd"',
      'TOKEN "e"',
      'TOKEN "f"',
      'TOKEN "gh"',
      "RUN_COMPLETED",
    ]);
  });

  it("W41: a flush appends at once what waits, and a parked run takes none", async () => {
    const gathering = { ...MERGING, mergeMs: 200 };
    await world.runs.work("r", gathering, async (run) => {
      for (const token of ["a", "b"]) void run.emit("TOKEN", token);
      await run.flush();
      expect(await world.events()).toStrictEqual(['TOKEN "ab"']);
      void run.emit("TOKEN", "c");
      await world.settle();
      expect(world.calls.filter((call) => call === "append")).toHaveLength(1);
      await run.park();
      await expect(run.flush()).rejects.toMatchObject({ code: "fenced" });
    });
    expect(await world.events()).toStrictEqual(['TOKEN "ab"', 'TOKEN "c"']);
  });

  it("W41: mergeMs makes the first event wait for others, and an append ends the wait", async () => {
    const work = world.runs.work("r", { ...MERGING, mergeMs: 200 }, async (run) => {
      for (const token of ["a", "b", "c"]) {
        void run.emit("TOKEN", token);
        await world.pass(50);
      }
      expect(world.calls).not.toContain("append");
      await world.pass(50);
      expect(world.calls.filter((call) => call === "append")).toHaveLength(1);
      void run.emit("TOKEN", "d");
      await run.append([{ eventType: "LAST" }]);
    });
    await work;
    expect(await world.events()).toStrictEqual([
      'TOKEN "abc"',
      'TOKEN "d"',
      "LAST",
      "RUN_COMPLETED",
    ]);
  });

  it("W41: more events than an append holds are one event of one append", async () => {
    const tokens = Array.from({ length: 2_500 }, (_, at) => `${at} `);
    await world.runs.work("r", MERGING, (run) => {
      for (const token of tokens) void run.emit("TOKEN", token);
    });
    expect(await world.events()).toStrictEqual([
      `TOKEN ${JSON.stringify(tokens.join(""))}`,
      "RUN_COMPLETED",
    ]);
  });

  it("W41: events whose merged payload would be too large stay apart", async () => {
    const part = "x".repeat(100_000);
    await world.runs.work("r", MERGING, (run) => {
      for (let at = 0; at < 4; at++) void run.emit("TOKEN", part);
    });
    const pair = `TOKEN ${JSON.stringify(part + part)}`;
    expect(await world.events()).toStrictEqual([pair, pair, "RUN_COMPLETED"]);
  });

  it("W41: events that would be nested too deep together stay apart", async () => {
    const merge = { PAIR: (all: readonly unknown[]) => all.reduce((a, b) => [a, b]) };
    await world.runs.work("r", { ...LEASE, merge }, (run) => {
      for (let at = 0; at < 3_000; at++) void run.emit("PAIR", at);
    });
    const numbers = (await world.events()).join().match(/\d+/g) ?? [];
    expect(numbers.map(Number)).toStrictEqual([...Array(3_000).keys()]);
  });

  it("W41: a merge that throws stops the work after the events that waited with it have landed as they are", async () => {
    const error = new RunEventsError("payload_too_large", "cannot merge");
    const merge = {
      ...MERGING.merge,
      BAD: () => {
        throw error;
      },
    };
    const work = world.runs.work("r", { ...LEASE, merge }, async (run) => {
      await run.append([{ eventType: "A" }]);
      for (const token of ["a", "b"]) void run.emit("TOKEN", token);
      for (const token of ["c", "d"]) void run.emit("BAD", token);
      void run.emit("TOKEN", "e");
      await aborted(run);
      expect(run.signal.reason).toBe(error);
      await expect(run.emit("TOKEN", "late")).rejects.toBe(error);
    });
    await expect(work).rejects.toBe(error);
    expect(await world.events()).toStrictEqual([
      "A",
      'TOKEN "a"',
      'TOKEN "b"',
      'BAD "c"',
      'BAD "d"',
      'TOKEN "e"',
      'RUN_FAILED {"reason":"error"}',
    ]);
  });

  it("W41: a merge that returns no JSON loses none of its events, even if they are more than one append holds", async () => {
    const tokens = Array.from({ length: 1_500 }, (_, at) => `TOKEN ${at}`);
    const work = world.runs.work("r", { ...LEASE, merge: { TOKEN: () => undefined } }, (run) => {
      for (const at of tokens.keys()) void run.emit("TOKEN", at);
    });
    await expect(work).rejects.toThrow("merge.TOKEN");
    const all = [...tokens, 'RUN_FAILED {"reason":"error"}'];
    expect((await world.events()).join()).toBe(all.join());
  });
});
