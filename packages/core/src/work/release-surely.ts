import { isStoreClosed } from "../rules/errors.ts";
import { persist } from "../time/persist.ts";
import type { RunAccess } from "./run-access.ts";
import { isStoreAway } from "./work-failures.ts";

/**
 * Releases a run, again and again while that may help.
 * @param isOver whether the lease is over, or the worker has to stop
 * @throws the reason why the run was not released. Its lease then expires
 */
export async function releaseSurely(
  access: Pick<RunAccess, "release" | "clock">,
  runId: string,
  fence: number,
  isOver: () => boolean,
): Promise<void> {
  await persist(
    async () => access.release(runId, fence),
    access.clock,
    (error) => !isStoreAway(error) || isStoreClosed(error) || isOver(),
  );
}
