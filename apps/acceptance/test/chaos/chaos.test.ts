import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import {
  createRunEvents,
  isTerminal,
  type RunEvent,
  type RunEvents,
  RunEventsError,
} from "@tm/run-events-core";
import { changeBy } from "@tm/run-events-core/wire";
import { expect, it, onTestFinished } from "vitest";
import { openStoreUrl } from "../open-store-url.ts";
import { type Reaper, startReaper } from "./chaos-reaper.ts";
import { type Crew, startCrew, type WorkerPlan } from "./chaos-crew.ts";
import { CHAOS_PLACES, type ChaosPlace } from "./chaos-places.ts";
import { GRACE_MS, LEASE_MS, REAP_MS, runIdOf, RUNS, STEPS } from "./chaos-plan.ts";

/** Bounds a hang. */
const LONG_MS = 180_000;
/** Longer than the lease, the grace and the reaper's interval together: a worker that was frozen so long has lost its run. */
const FROZEN_MS = LEASE_MS + GRACE_MS + REAP_MS + 300;
const STALL_MS = 1_200;
/** The number of new runs that a fault can hit at once. */
const FED = 8;

/** The faults that the workers and their database suffer, one after the other. */
const BLOWS = [
  "usurp",
  "kill",
  "stall",
  "freeze",
  "kill",
  "usurp",
  "kill",
  "stall",
  "kill",
] as const;
/** The index of the worker that always writes on. */
const RECKLESS = 1;
/** The number of attempts for a fault that has to hit a worker in the middle of a run. */
const MOST_TRIES = 5;

/** The targets of a fault. */
interface Scene {
  readonly crew: Crew;
  readonly reaper: Reaper;
  readonly runs: RunEvents;
  readonly place: ChaosPlace;
  /** Makes this many runs more to work on, as long as there are not all. @returns how many */
  readonly feed: (count: number) => Promise<number>;
}

it.each(Object.entries(CHAOS_PLACES))(
  "S21-S23, W33: on %s every run ends once under failures of workers, clocks and database, and no stale fence writes",
  async (_name, startPlace) => {
    const place = await startPlace();
    const { store, close } = await openStoreUrl(place.storeUrl);
    const runs = createRunEvents({ store });
    onTestFinished(async () => {
      await runs.close();
      await close();
    });
    let fed = 0;
    async function feed(count: number): Promise<number> {
      const first = fed;
      for (const until = Math.min(RUNS, fed + count); fed < until; fed++) {
        await runs.create({ runId: runIdOf(fed), ownerId: "ada" });
      }
      return fed - first;
    }
    const plans: readonly WorkerPlan[] = [
      { manner: "careful", skew: place.hasClock ? "+3m" : null },
      { manner: "reckless", skew: place.hasClock ? "-3m" : null },
      { manner: "careful", skew: null },
      { manner: "reckless", skew: null },
    ];
    const crew = startCrew(place.storeUrl, plans);
    onTestFinished(() => crew.killAll());
    const reaper = startReaper(runs, store);
    onTestFinished(() => reaper.stop());

    for (const [index, blow] of BLOWS.entries()) {
      await strike({ crew, reaper, runs, place, feed }, blow, index % plans.length);
    }
    await feed(RUNS);
    await crew.done();
    await reaper.stop();

    expect(reaper.missed).toEqual([]);
    const ends = new Map<string, number>();
    for (let index = 0; index < RUNS; index++) {
      const runId = runIdOf(index);
      const log: RunEvent[] = [];
      for await (const event of runs.as("ada").tail(runId)) log.push(event);
      const last = checkLog(log, crew, runId);
      ends.set(last, (ends.get(last) ?? 0) + 1);
    }
    // Otherwise the faults missed, and nothing was tested.
    expect(countFenced(crew)).toBeGreaterThan(0);
    expect(reaper.ended.length).toBeGreaterThan(0);
    expect(ends.get("RUN_FAILED") ?? 0).toBe(new Set(reaper.ended).size);
  },
  LONG_MS,
);

async function strike(scene: Scene, blow: (typeof BLOWS)[number], worker: number): Promise<void> {
  const { crew, reaper, place } = scene;
  switch (blow) {
    case "kill":
      await begin(scene, worker);
      return crew.replace(worker);
    case "stall":
      await begin(scene, worker);
      return place.stall(STALL_MS);
    case "usurp":
      return usurpOnce(scene);
    case "freeze": {
      // Without any worker to go on, the reaper ends runs.
      const before = reaper.ended.length;
      for (let tries = 0; tries < MOST_TRIES && reaper.ended.length === before; tries++) {
        await begin(scene, worker);
        await withFrozen(crew, [0, 1, 2, 3], () => pause(FROZEN_MS));
      }
    }
  }
}

/**
 * Makes runs until a worker has just begun one: one that has only been started may be slower than all the others.
 * @returns which
 * @throws Error if it has begun none of all
 */
async function begin({ crew, feed }: Scene, worker: number): Promise<string> {
  await crew.until(() => crew.isReady(worker));
  const before = crew.newest(worker);
  while (crew.newest(worker) === before) {
    const claims = countClaims(crew);
    if ((await feed(FED)) === 0) throw new Error("The others took all runs.");
    await crew.until(() => crew.newest(worker) !== before || countClaims(crew) >= claims + FED);
  }
  return crew.newest(worker)?.runId ?? "";
}

/** Takes a run from a worker that is frozen and then writes on, until that has happened in the middle of its run. */
async function usurpOnce(scene: Scene): Promise<void> {
  const { crew, runs } = scene;
  const before = countFenced(crew);
  for (let tries = 0; tries < MOST_TRIES && countFenced(crew) === before; tries++) {
    const runId = await begin(scene, RECKLESS);
    const claiming = claimAsSoonAsFree(runs, runId);
    await withFrozen(crew, [RECKLESS], async () => void (await claiming));
    const fence = await claiming;
    // It had come to the end already, or another worker was first.
    if (fence === null) continue;
    await crew.until(() => wasRefused(crew, runId, fence));
    await runs.as("ada").release(runId, fence);
  }
}

/** @returns the fence; `null` if the run ends, or another worker gets it */
async function claimAsSoonAsFree(runs: RunEvents, runId: string): Promise<number | null> {
  let expiresAt: string | undefined;
  for (;;) {
    try {
      return (await runs.as("ada").claim(runId, { leaseMs: 60_000 })).fence;
    } catch (error) {
      if (!(error instanceof RunEventsError)) throw error;
      if (error.code !== "claimed") return null;
      expiresAt ??= error.details.expiresAt;
      if (error.details.expiresAt !== expiresAt) return null;
      await nextTurn();
    }
  }
}

async function withFrozen(
  crew: Crew,
  workers: readonly number[],
  meanwhile: () => Promise<void>,
): Promise<void> {
  for (const index of workers) crew.freeze(index);
  await meanwhile();
  for (const index of workers) crew.thaw(index);
}

function countClaims({ reports }: Crew): number {
  return reports.filter((report) => "claimed" in report).length;
}

/** Whether a former worker of a run was refused. */
function wasRefused({ reports }: Crew, runId: string, fence: number): boolean {
  return reports.some(
    (report) =>
      "refused" in report && report.refused.runId === runId && report.refused.fence < fence,
  );
}

function countFenced({ reports }: Crew): number {
  return reports.filter((report) => "refused" in report && report.refused.code === "fenced").length;
}

/** @returns the type of the event that ended the run */
function checkLog(log: readonly RunEvent[], crew: Crew, runId: string): string {
  const types = log.map(({ eventType }) => eventType);
  expect(types.filter((type) => isTerminal(changeBy(type)))).toHaveLength(1);
  const steps = log.filter(({ eventType }) => eventType === "STEP");
  const payloads = steps.map(({ payload }) => payload as { fence: number; step: number });
  // Each worker went on where the one before had stopped.
  expect(payloads.map(({ step }) => step)).toEqual(steps.map((_, index) => index));
  if (types.at(-1) === "RUN_COMPLETED") expect(steps).toHaveLength(STEPS);
  const fences = log.map(({ payload }) => (payload as { fence?: number }).fence ?? Infinity);
  expect(fences).toEqual(fences.toSorted((a, b) => a - b));
  for (const report of crew.reports) {
    if (!("claimed" in report) || report.claimed.runId !== runId) continue;
    const { fence, lastSequence } = report.claimed;
    // A claim shows where the log ended: nothing of an older fence comes after it, nothing of its own before.
    fences.forEach((one, index) => expect(one >= fence).toBe(index >= lastSequence));
  }
  return types.at(-1) ?? "";
}
