import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRunLog } from "../src/log/create-run-log.ts";
import type { RunLog } from "../src/log/run-log.ts";
import { RunEventsError } from "../src/rules/errors.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import { ADA } from "./adas-runs.ts";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";
import { idsOf } from "./ids-of.ts";

const START = 1_780_000_000_000;
/** The interval at which the process of these tests checks, in milliseconds. */
const CHECK_MS = 5_000;
const STEP_MS = 250;
/** The longest that a worker waits before it tries again. */
const BACKOFF_MS = 5_000;

/** A worker that renews its lease. */
interface LiveWorker {
  readonly runId: string;
  readonly fence: number;
  readonly leaseMs: number;
  nextMs: number;
}

/** One store and one process that reaps, with what may happen to both. */
class World {
  readonly clock: FakeClock = createFakeClock();
  readonly log: RunLog;
  /** By how much the store's clock was set forward. */
  jumpMs = 0;
  isStoreAway = false;
  /** Whether the process is suspended, and with it every worker's way to the store. */
  isStopped = false;
  readonly ended = new Map<string, number>();
  readonly #checkMs: number;
  #nextCheckMs: number;
  readonly #workers: LiveWorker[] = [];
  readonly #startMs = this.clock.now();

  constructor(checkMs = CHECK_MS) {
    this.#checkMs = checkMs;
    this.#nextCheckMs = checkMs;
    const store = createMemoryStore({ now: () => START + this.clock.now() + this.jumpMs });
    const reach = async <T>(call: () => Promise<T>): Promise<T> => {
      if (this.isStoreAway) throw new RunEventsError("store_unavailable", "The store is away.");
      return call();
    };
    this.log = createRunLog({
      clock: this.clock,
      store: {
        ...store,
        append: (plains) => reach(() => store.append(plains)),
        change: (changes) => reach(() => store.change(changes)),
        probe: () => reach(() => store.probe()),
      },
    });
  }

  nowMs(): number {
    return this.clock.now() - this.#startMs;
  }

  /** A worker claims a run, and renews it from now on unless it is dead. */
  async claim(runId: string, leaseMs: number, isAlive: boolean): Promise<void> {
    await this.log.createRun({ runId, ownerId: "ada" });
    const { fence } = await this.log.claim(runId, { ...ADA, leaseMs });
    if (isAlive) this.#workers.push({ runId, fence, leaseMs, nextMs: this.nowMs() + leaseMs / 3 });
  }

  /** Lets time pass. Of all that falls due at once, the check comes first. */
  async pass(ms: number, graceMs: number): Promise<void> {
    for (const until = this.nowMs() + ms; this.nowMs() < until;) {
      this.clock.advance(STEP_MS);
      if (!this.isStopped && this.nowMs() >= this.#nextCheckMs) await this.#check(graceMs);
      for (const worker of this.#workers) await this.#renew(worker);
    }
  }

  async #check(graceMs: number): Promise<void> {
    this.#nextCheckMs = this.nowMs() + this.#checkMs;
    const ended = await this.log.reap({ graceMs }).catch(() => []);
    for (const runId of idsOf(ended)) this.ended.set(runId, this.nowMs());
  }

  async #renew(worker: LiveWorker) {
    if (this.nowMs() < worker.nextMs) return;
    const { runId, fence, leaseMs } = worker;
    const isRenewed =
      !this.isStopped &&
      (await this.log.renew(runId, fence, { ...ADA, leaseMs }).then(
        () => true,
        () => false,
      ));
    worker.nextMs = this.nowMs() + (isRenewed ? leaseMs / 3 : BACKOFF_MS);
  }
}

type Disturbance = { readonly calmMs: number; readonly ms: number } & (
  | { readonly is: "outage" | "stop" }
  | { readonly is: "jump"; readonly byMs: number }
);

async function suffer(world: World, { calmMs, ms, ...what }: Disturbance, graceMs: number) {
  await world.pass(calmMs, graceMs);
  if (what.is === "jump") {
    world.jumpMs += what.byMs;
    return;
  }
  if (what.is === "outage") world.isStoreAway = true;
  else world.isStopped = true;
  await world.pass(ms, graceMs);
  world.isStoreAway = false;
  world.isStopped = false;
}

const disturbance: fc.Arbitrary<Disturbance> = fc.oneof(
  fc.record({
    is: fc.constantFrom("outage" as const, "stop" as const),
    calmMs: fc.integer({ min: 11_000, max: 40_000 }),
    ms: fc.integer({ min: 250, max: 90_000 }),
  }),
  fc.record({
    is: fc.constant("jump" as const),
    calmMs: fc.integer({ min: 11_000, max: 40_000 }),
    ms: fc.constant(0),
    byMs: fc.integer({ min: -7_200_000, max: 7_200_000 }),
  }),
);
/** Each at least twice as long as the time between two checks. */
const graceMs = fc.constantFrom(10_000, 15_000, 60_000);
const leaseMs = fc.constantFrom(1_000, 3_000, 10_000, 30_000);

describe("reap, over a store that is away, a process that is suspended and a clock that is set", () => {
  it("W33: no run ends whose worker lives, for leases of up to 30 s", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(disturbance, { minLength: 1, maxLength: 4 }),
        fc.array(leaseMs, { minLength: 1, maxLength: 3 }),
        graceMs,
        async (disturbances, leases, grace) => {
          const world = new World();
          for (const [at, lease] of leases.entries()) await world.claim(`r${at}`, lease, true);
          for (const one of disturbances) await suffer(world, one, grace);
          await world.pass(60_000, grace);
          expect([...world.ended.keys()]).toStrictEqual([]);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("W33: a dead worker's run ends at the first check after its grace, if nothing has disturbed the checks", async () => {
    await fc.assert(
      fc.asyncProperty(
        leaseMs,
        graceMs,
        fc.constantFrom(1_000, 5_000, 60_000),
        fc.integer({ min: 1, max: 240 }).map((steps) => steps * STEP_MS),
        async (lease, grace, checkMs, offsetMs) => {
          const world = new World(checkMs);
          await world.pass(4 * checkMs + 16_000 + offsetMs, grace);
          await world.claim("dead", lease, false);
          const dueMs = world.nowMs() + lease + grace;
          await world.pass(lease + grace + checkMs, grace);
          expect([...world.ended.keys()]).toStrictEqual(["dead"]);
          expect(world.ended.get("dead")).toBeLessThan(dueMs + checkMs);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("W33: a dead worker's run ends within the stated bound, counted from the end of the disturbance", async () => {
    await fc.assert(
      fc.asyncProperty(
        disturbance,
        leaseMs,
        graceMs,
        fc.constantFrom(1_000, 5_000, 60_000),
        async (one, lease, grace, checkMs) => {
          const world = new World(checkMs);
          await world.claim("dead", lease, false);
          await suffer(world, one, grace);
          // A clock that was set back: it comes forward again, at once with what it had taken.
          const backMs = one.is === "jump" ? Math.max(0, -one.byMs) : 0;
          world.jumpMs += backMs;
          const boundMs = Math.max(15_000 + 3 * checkMs, 4 * checkMs);
          const latestMs = Math.max(lease + grace, world.nowMs()) + boundMs;
          await world.pass(latestMs - world.nowMs(), grace);
          expect([...world.ended.keys()]).toStrictEqual(["dead"]);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("W33: workers get their time after an outage that was over before the first run was due", async () => {
    const world = new World();
    await world.pass(30_000, 10_000);
    await world.claim("r", 1_000, true);
    // It takes no write for longer than the lease and the grace, and is back a moment before the check that finds the run.
    await suffer(world, { is: "outage", calmMs: 250, ms: 10_500 }, 10_000);
    await world.pass(30_000, 10_000);
    expect(world.ended.size).toBe(0);
  });

  it("W33: with no grace a run ends at the first check of all, as for a program that checks once", async () => {
    const world = new World();
    await world.claim("r", 1_000, false);
    world.clock.advance(1_000);
    expect(idsOf(await world.log.reap({ graceMs: 0 }))).toStrictEqual(["r"]);
  });

  it.each([5_000, 60_000])(
    "W33: many calls at once, every %d ms, are one check: they keep no run from its end, and bring none closer",
    async (everyMs) => {
      const world = new World();
      await world.claim("r", 1_000, false);
      world.clock.advance(90_000);
      const reap = async (): Promise<readonly string[]> =>
        idsOf((await Promise.all([1, 2, 3].map(() => world.log.reap()))).flat());
      for (let checks = 0; checks < 3; checks++) {
        expect(await reap()).toStrictEqual([]);
        world.clock.advance(everyMs);
      }
      expect(await reap()).toStrictEqual(["r"]);
    },
  );

  it("W33: batches that follow each other do not disturb rare checks", async () => {
    const world = new World(60_000);
    const reapAll = async (): Promise<number> => {
      let count = 0;
      for (;;) {
        const ended = await world.log.reap({ limit: 1 });
        if (ended.length === 0) return count;
        count += ended.length;
        world.clock.advance(100);
      }
    };
    for (let checks = 0; checks < 4; checks++) {
      world.clock.advance(60_000);
      expect(await reapAll()).toBe(0);
    }
    for (let checks = 0; checks < 3; checks++) {
      for (const at of [1, 2, 3]) await world.claim(`r${checks}-${at}`, 1_000, false);
      world.clock.advance(61_000);
      expect(await reapAll()).toBe(3);
    }
  });
});
