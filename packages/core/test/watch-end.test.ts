import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { createRunLog } from "../src/log/create-run-log.ts";
import type { RunLog } from "../src/log/run-log.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import { watchStoredEnd } from "../src/work/watch-end.ts";
import { ADA } from "./adas-runs.ts";
import { createDeferred, type Deferred } from "./deferred.ts";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";

interface Bench {
  readonly clock: FakeClock;
  readonly log: RunLog;
  readonly watch: ReturnType<typeof watchStoredEnd>;
  /** Settles the `ready` of the store's subscription. */
  readonly ready: Deferred<void>;
  readonly isStopped: () => boolean;
  readonly notify: () => void;
  /** An append of the worker lands. */
  readonly land: () => void;
  /** The number of times that the run was checked. A check waits for `gate`, if it is set. */
  readonly checks: () => number;
  readonly hold: (gate: Promise<unknown> | null) => void;
  readonly ends: unknown[];
  readonly pass: (ms: number) => Promise<void>;
}

async function createBench(gatherMs = 0): Promise<Bench> {
  const clock = createFakeClock();
  const log = createRunLog({ store: createMemoryStore(), clock });
  await log.createRun({ runId: "r", ownerId: "ada" });
  const ready = createDeferred<void>();
  const ends: unknown[] = [];
  let notify = (): void => {};
  let isStopped = false;
  let landings = 0;
  let checks = 0;
  let gate: Promise<unknown> | null = null;
  const watch = watchStoredEnd(
    {
      subscribe(_runId, onNotification) {
        notify = () => onNotification("r");
        return { ready: ready.promise, stop: () => void (isStopped = true) };
      },
    },
    {
      clock,
      async getRun(...call) {
        checks += 1;
        await gate;
        return log.getRun(...call);
      },
    },
    "r",
    { ownerId: "ada" },
    {
      landings: () => landings,
      gatherMs,
      onEnd: (refusal) => ends.push(refusal),
    },
  );
  return {
    clock,
    log,
    watch,
    ready,
    isStopped: () => isStopped,
    notify: () => notify(),
    land: () => void (landings += 1),
    checks: () => checks,
    hold: (one) => void (gate = one),
    ends,
    async pass(ms) {
      clock.advance(ms);
      await setImmediate();
    },
  };
}

/** A bench whose subscription is ready, and whose first check is over. */
async function createReadyBench(gatherMs?: number): Promise<Bench> {
  const bench = await createBench(gatherMs);
  bench.ready.resolve();
  await bench.watch.ready;
  return bench;
}

const CANCELLED = { code: "run_finished", details: { runStatus: "cancelled", lastSequence: 1 } };

describe("watchStoredEnd", () => {
  it("S13: a store that cannot subscribe costs time, and the run is checked all the same", async () => {
    const { watch, ready, checks } = await createBench();
    ready.reject(new Error("no subscription"));
    await watch.ready;
    expect(checks()).toBe(1);
  });

  it("S13: the run is checked 25 ms after a notification, once for merged ones, and never without", async () => {
    const { clock, log, notify, checks, ends, pass } = await createReadyBench();
    await pass(60_000);
    expect([checks(), clock.timers()]).toStrictEqual([1, 0]);
    await log.cancel("r", ADA);
    notify();
    notify();
    await pass(24);
    expect(checks()).toBe(1);
    await pass(1);
    expect(checks()).toBe(2);
    expect(ends).toMatchObject([CANCELLED]);
    await pass(60_000);
    expect([checks(), clock.timers()]).toStrictEqual([2, 0]);
  });

  it("S12: the run is not checked between appends of events that wait 250 ms for others", async () => {
    const { notify, land, checks, pass } = await createReadyBench(250);
    for (let appends = 0; appends < 100; appends++) {
      notify();
      land();
      await pass(250);
    }
    expect(checks()).toBe(1);
    // The stream pauses: one check, and no more.
    await pass(550);
    await pass(60_000);
    expect(checks()).toBe(2);
  });

  it.each([
    [0, 50],
    [250, 550],
    [10_000, 550],
  ])(
    "S13: a cancel that notifies together with an append of events that wait %s ms is found within %s ms",
    async (gatherMs, withinMs) => {
      const { log, notify, land, ends, pass } = await createReadyBench(gatherMs);
      await log.cancel("r", ADA);
      notify();
      land();
      await pass(withinMs / 2);
      await pass(withinMs / 2);
      expect(ends).toMatchObject([CANCELLED]);
    },
  );

  it("S13: a notification during a check causes another check, and only one check is under way at a time", async () => {
    const { log, notify, checks, hold, ends, pass } = await createReadyBench();
    const gate = createDeferred<void>();
    hold(gate.promise);
    notify();
    await pass(25);
    notify();
    await pass(1_000);
    expect(checks()).toBe(2);
    hold(null);
    gate.resolve();
    await setImmediate();
    await log.cancel("r", ADA);
    await pass(25);
    expect(checks()).toBe(3);
    expect(ends).toMatchObject([CANCELLED]);
  });

  it("S17: a deleted run is reported", async () => {
    const { log, watch, ready, ends } = await createBench();
    await log.cancel("r", ADA);
    await log.deleteRun("r", ADA);
    ready.resolve();
    await watch.ready;
    expect(ends).toMatchObject([{ code: "not_found" }]);
  });

  it("S13: a stopped watch has no timer and no subscription, and a late notification checks nothing", async () => {
    const { clock, watch, isStopped, notify, checks, pass } = await createReadyBench();
    notify();
    expect([clock.timers(), isStopped()]).toStrictEqual([1, false]);
    watch.stop();
    watch.stop();
    expect([clock.timers(), isStopped()]).toStrictEqual([0, true]);
    notify();
    await pass(1_000);
    expect([checks(), clock.timers()]).toStrictEqual([1, 0]);
  });
});
