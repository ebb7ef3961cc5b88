import { nextFence } from "@tm/run-events-core/store";
import type { World } from "./world.ts";

/** A store whose clock does not move, so that the fence of a claim is known before the claim. */
export const STILL = { storeNow: (): number => Date.UTC(2026, 5, 20, 12) };

/** The fence that the next claim of a run gets, in a world that is `STILL`. */
export async function nextFenceOf(world: World, runId: string): Promise<number> {
  return nextFence(await world.runs.log.getRun(runId), await world.store.probe());
}
