import fc from "fast-check";
import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import type { RunEventStore } from "../../src/store/store.ts";
import { createKvStore } from "../../src/store/kv/kv-store.ts";
import { StampClock } from "../../src/store/kv/stamp-clock.ts";
import { pause } from "../../src/time/clock.ts";
import { createFakeClock, type FakeClock } from "../fake-clock.ts";
import { createMvccEngine, MvccData } from "./mvcc-engine.ts";

const HOUR_MS = 3_600_000;
const START_MS = 1_800_000_000_000;
const STEP_MS = 50;

/** Lets time pass, step by step, with what processes do at each. */
async function pass(clock: FakeClock, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= STEP_MS) {
    clock.advance(Math.min(STEP_MS, left));
    await setImmediate();
  }
}

/** Lets time pass until a call has ended. */
async function until<T>(clock: FakeClock, call: Promise<T>): Promise<T> {
  let isOver = false;
  const over = call.finally(() => (isOver = true));
  while (!isOver) await pass(clock, STEP_MS);
  return over;
}

/** Makes stores of processes over the same data, whose engine has no clock. Their dates differ from the right one as given. */
function createWorld(): {
  readonly clock: FakeClock;
  readonly open: (aheadMs: number) => RunEventStore;
} {
  const data = new MvccData();
  const clock = createFakeClock();
  return {
    clock,
    open: (aheadMs) =>
      createKvStore(createMvccEngine(data), {
        clock,
        date: () => START_MS + clock.now() + aheadMs,
      }),
  };
}

it("S24 where no process has the store open, the time goes on from the date of the next one", async () => {
  const { clock, open } = createWorld();
  const first = open(0);
  await until(clock, first.probe());
  await first.close();
  await pass(clock, 60_000);
  const next = open(0);
  const nowMs = await until(clock, next.probe());
  expect(Math.abs(nowMs - START_MS - clock.now())).toBeLessThan(200);
  await next.close();
});

it("S24 the time follows the date of a process by a thousandth of what passes", async () => {
  const { clock, open } = createWorld();
  const right = open(0);
  await until(clock, right.probe());
  const ahead = open(HOUR_MS);
  const from = (await until(clock, ahead.probe())) - clock.now();
  await pass(clock, 100_000);
  const moved = (await until(clock, ahead.probe())) - clock.now() - from;
  expect(moved).toBeGreaterThan(50);
  expect(moved).toBeLessThan(110);
  await Promise.all([right.close(), ahead.close()]);
});

/** The acts of the processes other than the first, which has the store open all the time. */
const acts = fc.array(
  fc.record({
    process: fc.constantFrom(0, 1, 2),
    act: fc.constantFrom("open", "open", "close"),
    passMs: fc.integer({ min: 0, max: 4_000 }),
  }),
  { minLength: 3, maxLength: 15 },
);
const dates = fc.array(fc.constantFrom(-HOUR_MS, -100, 0, 100, HOUR_MS), {
  minLength: 4,
  maxLength: 4,
});

it("S24 processes that have the store open agree within a second, however their dates are set, while others come and go", async () => {
  await fc.assert(
    fc.asyncProperty(dates, acts, async ([first = 0, ...others], script) => {
      const data = new MvccData();
      const clock = createFakeClock();
      const stamps: number[] = [];
      const engine = createMvccEngine(data, {
        before: async (step) => {
          if (step === "commit") stamps.push(Number(data.get("stamp")));
        },
      });
      const open = (aheadMs: number): StampClock =>
        new StampClock(engine, { clock, date: () => START_MS + clock.now() + aheadMs });
      const always = open(first);
      const from = (await until(clock, always.now())) - clock.now();
      const opened = new Map<number, StampClock>();
      for (const { process, act, passMs } of script) {
        const known = opened.get(process);
        if (act === "close") {
          known?.stop();
          opened.delete(process);
        } else if (act === "open" && known === undefined) {
          opened.set(process, open(others[process] ?? 0));
        }
        await pass(clock, passMs);
        const times = await until(
          clock,
          Promise.all([always, ...opened.values()].map((one) => one.now())),
        );
        const [time = 0] = times.slice(0, 1);
        // All at one instant: those that had to join first are asked again.
        const again = await Promise.all([always, ...opened.values()].map((one) => one.now()));
        expect(Math.max(...again) - Math.min(...again)).toBeLessThan(1_000);
        expect(Math.abs(time - clock.now() - from)).toBeLessThan(1_000);
      }
      for (const one of [always, ...opened.values()]) one.stop();
      expect(stamps).toEqual(stamps.toSorted((a, b) => a - b));
      expect(clock.timers()).toBe(0);
    }),
    { numRuns: 60 },
  );
});

it("S24 processes that open an empty store at the same time agree, although their dates differ by an hour", async () => {
  const { clock, open } = createWorld();
  const stores = [open(0), open(HOUR_MS), open(-HOUR_MS)];
  await until(clock, Promise.all(stores.map((store) => store.probe())));
  const times = await Promise.all(stores.map((store) => store.probe()));
  expect(Math.max(...times) - Math.min(...times)).toBeLessThan(1_000);
  await Promise.all(stores.map((store) => store.close()));
});

it("S24 a process whose reads wait, for up to 5 s, sets the time neither forward nor back, and agrees with the others within a second", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(0, 50, 400, 5_000), { minLength: 1, maxLength: 10 }),
      fc.constantFrom(-HOUR_MS, 0),
      async (waits, aheadMs) => {
        const data = new MvccData();
        const clock = createFakeClock();
        const engine = createMvccEngine(data);
        let reads = 0;
        const waiting: typeof engine = {
          ...engine,
          // As of a node that does not answer: the next one is asked then.
          async read(work) {
            const waitMs = waits[(reads += 1) % waits.length] ?? 0;
            if (waitMs > 0) await pause(clock, waitMs);
            return engine.read(work);
          },
        };
        const open = (of: typeof engine, ahead: number): StampClock =>
          new StampClock(of, { clock, date: () => START_MS + clock.now() + ahead });
        const right = open(engine, 0);
        await until(clock, right.now());
        const late = open(waiting, aheadMs);
        await until(clock, late.now());
        for (let times = 0; times < 30; times++) {
          await pass(clock, 1_000);
          const [time, other] = await Promise.all([right.now(), late.now()]);
          expect(time - START_MS - clock.now()).toBe(0);
          expect(Math.abs(other - time)).toBeLessThan(1_000);
        }
        for (const one of [right, late]) one.stop();
      },
    ),
    { numRuns: 40 },
  );
});
