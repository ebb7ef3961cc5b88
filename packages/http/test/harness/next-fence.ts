import type { World } from "./world.ts";

/** A store whose clock does not move, so that the fence of a claim is known before the claim. */
export const STILL = { storeNow: (): number => Date.UTC(2026, 5, 20, 12) };

/** The fence that the first claim of a run of ada's gets, in a world that is `STILL`. @see "Fences" in `STORE.md` */
export async function nextFenceOf(world: World, runId: string): Promise<number> {
  const { ordinal } = await world.runs.log.getRun(runId, { ownerId: "ada" });
  return (await world.store.probe()) * 1_000 + (ordinal % 1_000);
}
