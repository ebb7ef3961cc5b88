import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RunEventsError } from "../src/errors.ts";
import { createMemoryStore } from "../src/memory.ts";
import { createRunLog, type RunLog } from "../src/run-log.ts";
import { confirmed, lookAgain, type Suspects } from "../src/suspects.ts";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";

const START = 1_780_000_000_000;
/** How often the process of these tests looks. */
const LOOK_MS = 5_000;
const STEP_MS = 250;
/** The longest that a worker waits before it tries again. */
const BACKOFF_MS = 5_000;

/** One store and one process that reaps, with what may happen to both. */
class World {
  readonly clock: FakeClock = createFakeClock();
  readonly log: RunLog;
  /** By how much the store's clock was set forward. */
  jumpMs = 0;
  isStoreAway = false;
  /** Whether the process stands still, and with it every worker's way to the store. */
  isStopped = false;
  readonly ended = new Map<string, number>();
  #nextLookMs = LOOK_MS;
  readonly #workers: { readonly runId: string; readonly leaseMs: number; nextMs: number }[] = [];
  readonly #startMs = this.clock.now();

  constructor() {
    const store = createMemoryStore({ now: () => START + this.clock.now() + this.jumpMs });
    const reach = async <T>(call: () => Promise<T>): Promise<T> => {
      if (this.isStoreAway) throw new RunEventsError("store_unavailable", "The store is away.");
      return call();
    };
    this.log = createRunLog({
      clock: this.clock,
      store: {
        ...store,
        renew: (request) => reach(() => store.renew(request)),
        append: (requests) => reach(() => store.append(requests)),
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
    await this.log.claim(runId, { leaseMs });
    if (isAlive) this.#workers.push({ runId, leaseMs, nextMs: this.nowMs() + leaseMs / 3 });
  }

  /** Lets time pass. Of all that falls due at once, the look comes first. */
  async pass(ms: number, graceMs: number): Promise<void> {
    for (const until = this.nowMs() + ms; this.nowMs() < until;) {
      this.clock.advance(STEP_MS);
      if (!this.isStopped && this.nowMs() >= this.#nextLookMs) await this.#look(graceMs);
      for (const worker of this.#workers) await this.#renew(worker);
    }
  }

  async #look(graceMs: number): Promise<void> {
    this.#nextLookMs = this.nowMs() + LOOK_MS;
    const runIds = await this.log.reap({ graceMs }).catch(() => []);
    for (const runId of runIds) this.ended.set(runId, this.nowMs());
  }

  async #renew(worker: { readonly runId: string; readonly leaseMs: number; nextMs: number }) {
    if (this.nowMs() < worker.nextMs) return;
    const { runId, leaseMs } = worker;
    const isRenewed =
      !this.isStopped &&
      (await this.log.renew(runId, 1, { leaseMs }).then(
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
const graceMs = fc.constantFrom(0, 3_000, 60_000);
const leaseMs = fc.constantFrom(1_000, 3_000, 10_000, 30_000);

describe("reap, over a store that is away, a process that stands still and a clock that is set", () => {
  it("S23: ends no run whose worker lives, for leases of up to 30 s", async () => {
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

  it("S23: ends the run of a dead worker within the bound that it states, counted from the end of what kept it", async () => {
    await fc.assert(
      fc.asyncProperty(disturbance, leaseMs, graceMs, async (one, lease, grace) => {
        const world = new World();
        await world.claim("dead", lease, false);
        await suffer(world, one, grace);
        const backMs = one.is === "jump" ? Math.max(0, -one.byMs) : 0;
        const ranOutMs = lease + grace + backMs;
        const latestMs = Math.max(ranOutMs, world.nowMs()) + 15_000 + 2 * LOOK_MS;
        world.jumpMs += backMs;
        const isSoonMs = latestMs - backMs;
        await world.pass(Math.max(0, isSoonMs - world.nowMs()), grace);
        expect([...world.ended.keys()]).toStrictEqual(["dead"]);
      }),
      { numRuns: 60 },
    );
  });

  it("S23: a process that stands still twice, with hardly a moment in between, gives the workers that moment again", async () => {
    const world = new World();
    await world.claim("r", 3_000, true);
    for (let stops = 0; stops < 2; stops++) {
      await suffer(world, { is: "stop", calmMs: 1_000, ms: 20_000 }, 0);
    }
    await world.pass(30_000, 0);
    expect(world.ended.size).toBe(0);
  });

  it("S23: a look that fails starts the wait of all again: a store that is back for moments gives no worker time", async () => {
    const world = new World();
    await world.claim("r", 3_000, true);
    await suffer(world, { is: "outage", calmMs: 4_000, ms: 15_750 }, 0);
    // It is back for each fourth look, and away again before the worker tries.
    for (let outages = 0; outages < 3; outages++) {
      await suffer(world, { is: "outage", calmMs: 500, ms: 19_500 }, 0);
    }
    await world.pass(30_000, 0);
    expect(world.ended.size).toBe(0);
  });

  it("S23: many calls at once are one look: they keep no run from its end, and bring none closer", async () => {
    const world = new World();
    await world.claim("r", 1_000, false);
    world.clock.advance(1_000);
    const reap = async (): Promise<readonly string[]> =>
      (await Promise.all([1, 2, 3].map(() => world.log.reap({ graceMs: 0 })))).flat();
    for (let looks = 0; looks < 3; looks++) {
      expect(await reap()).toStrictEqual([]);
      world.clock.advance(5_000);
    }
    expect(await reap()).toStrictEqual(["r"]);
  });
});

describe("lookAgain", () => {
  const look = fc.record({
    passedMs: fc.nat({ max: 20_000 }),
    found: fc.subarray(["a", "b", "c"]),
    isGood: fc.boolean(),
  });

  it("S23: confirms a run only after good looks that all found it, over long enough, of which no gap counts for more than half", () => {
    fc.assert(
      fc.property(fc.array(look, { maxLength: 12 }), (looks) => {
        let [suspects, atMs]: [Suspects | null, number] = [null, 0];
        const since = new Map<string, number[]>();
        for (const { passedMs, found, isGood } of looks) {
          atMs += passedMs;
          if (!isGood) {
            suspects = null;
            since.clear();
            continue;
          }
          suspects = lookAgain(suspects, found, atMs, 15_000);
          for (const runId of ["a", "b", "c"]) {
            if (found.includes(runId)) since.set(runId, [...(since.get(runId) ?? []), atMs]);
            else since.delete(runId);
          }
          for (const runId of confirmed(suspects, 15_000)) {
            const times = since.get(runId) ?? [];
            expect(times.length).toBeGreaterThanOrEqual(3);
            expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(15_000);
          }
          expect([...suspects.watchedMs.keys()]).toStrictEqual(found);
        }
      }),
    );
  });

  it("S23: confirms all at the first look where nothing is waited for", () => {
    expect(confirmed(lookAgain(null, ["b", "a"], 0, 0), 0)).toStrictEqual(["b", "a"]);
  });
});
