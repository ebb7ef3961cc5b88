import type { RunStatus } from "@tm/run-events-core";
import { assertEqual } from "./assert.ts";
import { type KitStore, OWNER } from "./kit-store.ts";

/** The statuses whose lists have the run. The list of the live runs must agree. */
export async function listedAs(store: KitStore, runId: string): Promise<readonly RunStatus[]> {
  const statuses = ["queued", "running", "waiting", "completed", "failed", "cancelled"] as const;
  const found: RunStatus[] = [];
  for (const runStatus of statuses) if (await isListed(runStatus)) found.push(runStatus);
  const isLive = found.some((one) => one === "queued" || one === "running" || one === "waiting");
  assertEqual(await isListed("live"), isLive, "whether the run is among the live ones");
  return found;

  async function isListed(runStatus: RunStatus | "live"): Promise<boolean> {
    const runs = await store.listRuns({ ownerId: OWNER, runStatus, before: null, limit: 100 });
    return runs.some((run) => run.runId === runId);
  }
}
