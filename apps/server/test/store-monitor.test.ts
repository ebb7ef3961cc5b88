import { setImmediate as nextTurn } from "node:timers/promises";
import { createMemoryStore, createRunEvents, RunEventsError } from "@tm/run-events-core";
import { stallsOf } from "@tm/run-events-core/wire";
import fc from "fast-check";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { LogFields } from "../src/log.ts";
import { StoreMonitor } from "../src/store-monitor.ts";

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"],
  });
});
afterEach(() => void vi.useRealTimers());

/** A monitor of a store whose probes the test ends, the oldest first. */
function monitorOf(): {
  readonly monitor: StoreMonitor;
  readonly logged: readonly (LogFields & { readonly event: string })[];
  begun(): number;
  close(): Promise<void>;
  open(): number;
  end(failure?: unknown): Promise<void>;
} {
  const logged: (LogFields & { readonly event: string })[] = [];
  const waiting: PromiseWithResolvers<number>[] = [];
  let begun = 0;
  const store = {
    ...createMemoryStore(),
    probe() {
      begun += 1;
      const probe = Promise.withResolvers<number>();
      waiting.push(probe);
      return probe.promise;
    },
  };
  const runs = createRunEvents({ store });
  const monitor = new StoreMonitor({
    watch: stallsOf(runs.log).writes,
    log: (event, fields = {}) => logged.push({ event, ...fields }),
  });
  return {
    monitor,
    logged,
    begun: () => begun,
    close: () => runs.close(),
    open: () => waiting.length,
    async end(failure) {
      const probe = waiting.shift();
      if (failure === undefined) probe?.resolve(0);
      else probe?.reject(failure);
      await nextTurn();
    },
  };
}

const readOnly = (): RunEventsError =>
  new RunEventsError("store_unavailable", "The database is read-only.", { retryable: false });

async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
  await nextTurn();
}

it("S31: the store's monitor begins with the first probe, and probes every 5 s", async () => {
  const { monitor, logged, begun, end } = monitorOf();
  let isStarted = false;
  const starting = monitor.start().then(() => (isStarted = true));
  await nextTurn();
  expect([isStarted, begun()]).toEqual([false, 1]);
  expect(monitor.health().stalledBy).toMatchObject({ code: "store_unavailable" });
  await end();
  await starting;
  expect(monitor.health()).toMatchObject({ stalledBy: null, stalls: 0 });
  await pass(4_999);
  expect(begun()).toBe(1);
  await pass(1);
  expect(begun()).toBe(2);
  expect(logged).toEqual([]);
  monitor.stop();
});

it("S31: a failed probe begins a stall with its reason, a good one ends it, each in one line", async () => {
  const { monitor, logged, end } = monitorOf();
  void monitor.start();
  await end();
  await pass(5_000);
  for (let count = 0; count < 5; count++) {
    await end(readOnly());
    expect(monitor.health().stalledBy?.message).toBe("The database is read-only.");
    await pass(1_000);
  }
  await end();
  expect(monitor.health()).toMatchObject({ stalledBy: null, stalls: 1 });
  expect(logged).toMatchObject([
    {
      event: "appends_stalled",
      code: "store_unavailable",
      message: "The database is read-only.",
    },
    { event: "appends_back", stalledMs: 5_000 },
  ]);
  monitor.stop();
});

it("S31: a late probe begins a stall while it is under way, and no second probe is begun meanwhile", async () => {
  const { monitor, logged, begun, end } = monitorOf();
  const starting = monitor.start();
  await pass(1_999);
  expect(logged).toEqual([]);
  await pass(1);
  // The start does not wait for a store that does not answer.
  await starting;
  expect(monitor.health().stalledBy?.message).toContain("did not answer in 2000 ms");
  for (let count = 0; count < 10; count++) await pass(1_000);
  expect(begun()).toBe(1);
  await end(readOnly());
  await pass(1_000);
  await end(readOnly());
  expect(monitor.health().stalledBy?.message).toBe("The database is read-only.");
  await pass(1_000);
  await end();
  expect(logged.map(({ event }) => event)).toEqual(["appends_stalled", "appends_back"]);
  monitor.stop();
});

it("S31: at most one probe is under way, and stalls begin and end in turns, for all results of probes", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.oneof(
          fc.record({ pass: fc.integer({ min: 0, max: 20_000 }) }),
          fc.constant("good" as const),
          fc.constant("bad" as const),
        ),
        { maxLength: 40 },
      ),
      async (steps) => {
        const { monitor, logged, open, end } = monitorOf();
        void monitor.start();
        for (const step of steps) {
          if (step === "good") await end();
          else if (step === "bad") await end(readOnly());
          else await pass(step.pass);
          expect(open()).toBeLessThanOrEqual(1);
        }
        const events = logged.map(({ event }) => event);
        expect(events).toEqual(
          events.map((_, at) => (at % 2 === 0 ? "appends_stalled" : "appends_back")),
        );
        const { stalledBy, stalls } = monitor.health();
        expect(stalls).toBe(Math.ceil(events.length / 2));
        if (events.length % 2 === 1) expect(stalledBy).not.toBeNull();
        monitor.stop();
        vi.clearAllTimers();
      },
    ),
    { numRuns: 100 },
  );
});

it("the store's monitor and its log leave no timer and log nothing once they have ended, even during a probe", async () => {
  const { monitor, logged, begun, end, close } = monitorOf();
  void monitor.start();
  await end();
  await pass(5_000);
  monitor.stop();
  monitor.stop();
  await close();
  await end(readOnly());
  expect(vi.getTimerCount()).toBe(0);
  await pass(60_000);
  expect([begun(), logged, vi.getTimerCount()]).toEqual([2, [], 0]);
});
