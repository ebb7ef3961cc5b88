import { isRefusal, isStoreClosed } from "../rules/errors.ts";
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

/**
 * Lets another worker go on where this one stopped. If the store is away, the lease expires.
 * @throws a refusal
 */
export async function tryToRelease(
  access: Pick<RunAccess, "release">,
  runId: string,
  fence: number,
): Promise<void> {
  await access.release(runId, fence).catch((error: unknown) => {
    if (isRefusal(error)) throw error;
  });
}
