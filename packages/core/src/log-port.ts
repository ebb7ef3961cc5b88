import { createOwnKeys } from "./own-keys.ts";
import type { OwnerOption } from "./owner.ts";
import type { RunLog } from "./run-log.ts";
import type { RunEventStore } from "./store.ts";
import { watchEnd } from "./watch-end.ts";
import type { WorkPort } from "./work-port.ts";

/**
 * What is between a worker and a store in the same process.
 * @param options whose runs it may work on
 * @param closing aborts when the log is to close
 */
export function createLogPort(
  store: Pick<RunEventStore, "capabilities" | "watch">,
  log: RunLog,
  options: OwnerOption,
  closing: AbortSignal,
): WorkPort {
  const owner: OwnerOption = "ownerId" in options ? { ownerId: options.ownerId } : {};
  return {
    clock: log.clock,
    limits: log.limits,
    closing,
    newKey: store.capabilities.losesAcknowledgements ? createOwnKeys() : undefined,
    claim: (runId, leaseMs) => log.claim(runId, { ...owner, leaseMs }),
    renew: (runId, fence, leaseMs) => log.renew(runId, fence, { ...owner, leaseMs }),
    release: (runId, fence) => log.release(runId, fence, owner),
    append: (runId, events, conditions) => log.append(runId, events, { ...owner, ...conditions }),
    watchEnd: (runId, watcher) => watchEnd(store, log, runId, owner, watcher),
  };
}
