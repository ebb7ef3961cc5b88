import { isTerminal } from "@tm/run-events-core";
import type { KitStore } from "../kit-store.ts";
import { event, land } from "../append-request.ts";
import { BY_OWNER } from "../lease.ts";
import type { RaceOperation } from "./operation.ts";
import { RaceClient } from "./race-client.ts";
import type { Race } from "./race.ts";

/** The ids that a race uses. */
const RUN_IDS = ["a", "b", "c"];

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
  const runIds = RUN_IDS.map((name) => `${prefix}${name}`);
  const place = { prefix, runIds, now: () => (instant += 1), operations };
  const starter = new RaceClient("0", store, place, new Map());
  await starter.run(first);
  const settled = await Promise.allSettled(
    branches.map((steps, index) => {
      const own = stores[index % stores.length] ?? store;
      return new RaceClient(String(index + 1), own, place, starter.seen).run(steps);
    }),
  );
  // Only when all have ended, so that none goes on in the next race.
  for (const one of settled) if (one.status === "rejected") throw one.reason;
  // What is left in the end.
  await new RaceClient("end", stores.at(-1) ?? store, place, new Map()).run(
    RUN_IDS.map((runId) => ({ call: "read", runId, from: "start", limit: 1_000 })),
  );
  await removeAll(store, runIds);
  return operations;
}

async function removeAll(store: KitStore, runIds: readonly string[]): Promise<void> {
  for (const runId of runIds) {
    const run = await store.getRun(runId);
    if (run === null) continue;
    if (!isTerminal(run.runStatus)) await land(store, runId, [event("RUN_CANCELLED")], BY_OWNER);
    await store.deleteRun(runId);
  }
}
