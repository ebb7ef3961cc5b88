import { isTerminal } from "@tm/run-events-core";
import type { KitStore } from "../kit-store.ts";
import { event, land } from "../append-request.ts";
import { BY_OWNER, untilExpired } from "../lease.ts";
import type { RaceOperation } from "./operation.ts";
import { RaceClient } from "./race-client.ts";
import { type Race, type RaceStep, RUN_IDS } from "./race.ts";

/** The calls that show the final state. */
export const READ_ALL: readonly RaceStep[] = RUN_IDS.map((runId) => ({
  call: "read",
  queries: [{ runId, from: "start", limit: 1_000 }],
}));

/**
 * Runs a race on new runs, and then removes them.
 * @param stores store objects on the same data, which the clients share out in turn
 * @param prefix of its ids, so that many races run on one store
 */
export async function runRace(
  { prefix: first, branches }: Race,
  stores: readonly [KitStore, ...KitStore[]],
  prefix: string,
): Promise<readonly RaceOperation[]> {
  const [store] = stores;
  let instant = 0;
  const operations: RaceOperation[] = [];
  const place = { prefix, now: () => (instant += 1), operations, mayRepeat: false };
  const starter = new RaceClient("0", store, place);
  for (const step of first) {
    const shows = await starter.step(step);
    if (step.call !== "claim" || step.length !== "short") continue;
    for (const { runId, leaseExpiresAtMs } of shows) {
      if (leaseExpiresAtMs) await untilExpired(store, { runId, leaseExpiresAtMs });
    }
  }
  const settled = await Promise.allSettled(
    branches.map((steps, index) => {
      const own = stores[index % stores.length] ?? store;
      return new RaceClient(String(index + 1), own, place, starter.seen).run(steps);
    }),
  );
  // Only when all have ended, so that none goes on in the next race.
  for (const one of settled) if (one.status === "rejected") throw one.reason;
  await new RaceClient("end", stores.at(-1) ?? store, place).run(READ_ALL);
  for (const runId of RUN_IDS) await remove(store, `${prefix}${runId}`, prefix);
  return operations;
}

async function remove(store: KitStore, runId: string, prefix: string): Promise<void> {
  const ownerId = `${prefix}ada`;
  const run = await store.getRun(runId, ownerId);
  if (run === null) return;
  if (!isTerminal(run.runStatus)) {
    await land(store, runId, [event("RUN_CANCELLED")], { ...BY_OWNER, ownerId });
  }
  await store.deleteRun(runId, ownerId);
}
