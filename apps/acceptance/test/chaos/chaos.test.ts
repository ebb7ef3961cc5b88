import { setTimeout as pause } from "node:timers/promises";
import { createRunEvents, isTerminal, type RunEvent, statusAfter } from "@tm/run-events-core";
import { expect, it, onTestFinished } from "vitest";
import { openStoreUrl } from "../open-store-url.ts";
import { startReaper } from "./chaos-reaper.ts";
import { startCrew, type Crew, type WorkerPlan } from "./chaos-crew.ts";
import { CHAOS_PLACES } from "./chaos-places.ts";
import { GRACE_MS, LEASE_MS, REAP_MS, runIdOf, RUNS, STEPS } from "./chaos-plan.ts";

/** Bounds a hang. */
const LONG_MS = 180_000;
/** Longer than the lease, the grace and the reaper's interval together: whoever stood still so long has lost its run. */
const FROZEN_MS = LEASE_MS + GRACE_MS + REAP_MS + 300;
const STALL_MS = 1_200;
/** How many claims go between two blows. */
const EVERY = 16;

/** What befalls the workers and their database, one thing after the other. */
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
const RECKLESS = 1;
/** How often a run is tried to be taken from a worker that writes on. */
const MOST_TRIES = 8;

it.each(Object.entries(CHAOS_PLACES))(
  "S21-S23, W33: on %s every run ends once, whatever happens to workers, clocks and database, and no stale fence writes",
  async (_name, startPlace) => {
    const place = await startPlace();
    const { store, close } = await openStoreUrl(place.storeUrl);
    const runs = createRunEvents({ store });
    onTestFinished(async () => {
      await runs.close();
      await close();
    });
    for (let index = 0; index < RUNS; index++) {
      await runs.create({ runId: runIdOf(index), ownerId: "ada" });
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
      await crew.claims((index + 1) * EVERY);
      await strike(crew, blow, index % plans.length, place.stall);
    }
    await crew.done();
    await reaper.stop();

    expect(reaper.missed).toEqual([]);
    const ends = new Map<string, number>();
    for (let index = 0; index < RUNS; index++) {
      const runId = runIdOf(index);
      const log: RunEvent[] = [];
      for await (const event of runs.tail(runId)) log.push(event);
      const last = checkLog(log, crew, runId);
      ends.set(last, (ends.get(last) ?? 0) + 1);
    }
    // Else nothing of all this was tried.
    expect(countFenced(crew)).toBeGreaterThan(0);
    expect(reaper.ended.length).toBeGreaterThan(0);
    expect(ends.get("RUN_FAILED") ?? 0).toBe(new Set(reaper.ended).size);
  },
  LONG_MS,
);

async function strike(
  crew: Crew,
  blow: (typeof BLOWS)[number],
  worker: number,
  stall: (forMs: number) => Promise<void>,
): Promise<void> {
  switch (blow) {
    case "kill":
      return crew.replace(worker);
    case "stall":
      return stall(STALL_MS);
    case "usurp": {
      const before = countFenced(crew);
      for (let tries = 0; tries < MOST_TRIES && countFenced(crew) === before; tries++) {
        await usurp(crew);
      }
      return;
    }
    case "freeze":
      // With nobody left to go on, it is the reaper's.
      await withFrozen(crew, [0, 1, 2, 3], () => pause(FROZEN_MS));
  }
}

/** Stands a worker still until another one has its run, and that one too, so that the first wakes up and writes on. */
async function usurp(crew: Crew): Promise<void> {
  let heir = -1;
  await withFrozen(crew, [RECKLESS], async () => {
    const { runId = "", fence = 0 } = crew.newest(RECKLESS) ?? {};
    const isTaken = (): boolean => {
      heir =
        [0, 2, 3].find((index) => {
          const newest = crew.newest(index);
          return newest?.runId === runId && newest.fence > fence;
        }) ?? -1;
      return heir !== -1;
    };
    // It may have stood between two runs.
    await Promise.race([crew.until(isTaken), pause(FROZEN_MS)]);
    if (heir !== -1) crew.freeze(heir);
  });
  if (heir === -1) return;
  const before = countRefused(crew);
  await Promise.race([crew.until(() => countRefused(crew) > before), pause(FROZEN_MS)]);
  crew.thaw(heir);
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

function countRefused({ reports }: Crew): number {
  return reports.filter((report) => "refused" in report).length;
}

function countFenced({ reports }: Crew): number {
  return reports.filter((report) => "refused" in report && report.refused.code === "fenced").length;
}

/** @returns the type of the event that ended the run */
function checkLog(log: readonly RunEvent[], crew: Crew, runId: string): string {
  const types = log.map(({ eventType }) => eventType);
  expect(types.filter((type) => isTerminal(statusAfter(type)))).toHaveLength(1);
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
    // A claim says where the log ended: nothing of an older fence stands behind it, nothing of its own before.
    fences.forEach((one, index) => expect(one >= fence).toBe(index >= lastSequence));
  }
  return types.at(-1) ?? "";
}
