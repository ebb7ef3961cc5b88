import { createRunEvents, type RunEvents } from "@tm/run-events-core";
import { expect, onTestFinished } from "vitest";
import { kitStore } from "../../../packages/conformance/src/kit-store.ts";
import type { LogFields } from "../src/log.ts";
import { openStore } from "../src/open-store.ts";
import type { StoreUrl } from "../src/store-url.ts";
import { type RunningUpkeep, startUpkeep, type UpkeepOptions } from "../src/upkeep.ts";
import { quietMetrics } from "./quiet-metrics.ts";

/** Bounds a hang. */
export const PATIENCE = { timeout: 30_000 };
export const DAY_MS = 86_400_000;
export const PURGE_MS = 60_000;
const SETTINGS = {
  leaseGraceMs: 0,
  queuedForMs: null,
  idleForMs: null,
  waitingForMs: null,
  reapIntervalMs: 5_000,
  retentionMs: null,
};

/** One server's upkeep, and its log. */
export interface Upkept {
  readonly upkeep: RunningUpkeep;
  readonly logged: readonly (LogFields & { readonly event: string })[];
  /** The runs in the lines of this event. */
  runsIn(event: string): readonly string[];
}

export function startUpkept(
  runs: UpkeepOptions["runs"],
  settings: Partial<UpkeepOptions["settings"]> = {},
): Upkept {
  const logged: (LogFields & { readonly event: string })[] = [];
  const upkeep = startUpkeep({
    runs,
    confirmMs: 0,
    settings: { ...SETTINGS, ...settings },
    log: (event, fields = {}) => logged.push({ event, ...fields }),
  });
  onTestFinished(() => upkeep.stop(0));
  return {
    upkeep,
    logged,
    runsIn: (event) =>
      logged
        .filter((line) => line.event === event)
        .flatMap(({ runId, runIds }) => (runIds ?? runId) as string | readonly string[]),
  };
}

/** Runs on a store of the server, and what its metrics count. */
export interface CountedRuns extends RunEvents {
  readonly store: Store;
  counted(name: string): number;
}

/** @param between what is between the runs and their store */
export async function openRuns(
  storeUrl: StoreUrl,
  between = (store: Store): Store => store,
): Promise<CountedRuns> {
  const { store, release } = await openStore(storeUrl, () => {});
  const metrics = quietMetrics(true);
  const runs = createRunEvents({ store: between(store), telemetry: metrics });
  onTestFinished(async () => {
    await runs.close();
    await release();
  });
  return {
    ...runs,
    store,
    counted: (name) =>
      Number(new RegExp(`^run_events_${name}_total (\\d+)$`, "m").exec(metrics.encode())?.[1]),
  };
}

type Store = Awaited<ReturnType<typeof openStore>>["store"];

/** Creates runs whose leases have expired by now. */
export async function abandon(
  store: Store,
  runs: RunEvents,
  count: number,
): Promise<readonly string[]> {
  const created = await Promise.all(
    Array.from({ length: count }, () => runs.create({ ownerId: "ada" })),
  );
  const runIds = created.map(({ runId }) => runId);
  const calls = kitStore(store);
  for (const runId of runIds) await calls.claim({ runId, leaseMs: 1 });
  const expired = (): Promise<readonly unknown[]> =>
    store.list({ due: "leased", forMs: 0, limit: count + 1 });
  await expect.poll(expired, PATIENCE).toHaveLength(count);
  return runIds;
}

/** Ends runs, and lets the clock go on. */
export async function finish(runs: RunEvents, count: number): Promise<readonly string[]> {
  const runIds: string[] = [];
  for (let at = 0; at < count; at++) {
    const { runId } = await runs.create({ ownerId: "ada" });
    await runs.as("ada").append(runId, [{ eventType: "RUN_COMPLETED" }]);
    runIds.push(runId);
  }
  const last = Date.now();
  await expect.poll(() => Date.now() - last, PATIENCE).toBeGreaterThan(2);
  return runIds;
}
