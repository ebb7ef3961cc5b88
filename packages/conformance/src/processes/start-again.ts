import { isTerminal } from "@tm/run-events-core";
import type { KitStore } from "../kit-store.ts";
import type { RecordedClient } from "../history/recorder.ts";
import { granted, LONG_MS, untilExpired } from "../lease.ts";
import { requireLease, startKeyOf } from "./starting-calls.ts";
import type { StartedRun } from "./worker-commands.ts";

/** Sends each creation again twice, with its claim and under its key. */
export async function startAgain(
  client: RecordedClient,
  starts: readonly StartedRun[],
): Promise<void> {
  for (const { runId, topic, leaseMs } of starts) {
    for (let time = 0; time < 2; time++) {
      await client.start(runId, topic, leaseMs, startKeyOf(runId));
    }
  }
}

/** Starts another run of each topic. */
export async function startOthers(
  client: RecordedClient,
  starts: readonly StartedRun[],
): Promise<void> {
  for (const { runId, topic } of starts) await client.start(`${runId}-other`, topic, LONG_MS);
}

/** Waits until the lease of each of these runs that is live is over. Their leases were given for the shortest time. */
export async function awaitExpired(store: KitStore, runIds: readonly string[]): Promise<void> {
  for (const runId of runIds) {
    const run = await store.getRun(runId);
    if (run === null || isTerminal(run.runStatus)) continue;
    requireLease(run);
    await untilExpired(store, granted({ outcome: "granted", run }, `the creation of ${runId}`));
  }
}
