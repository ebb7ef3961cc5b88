import { checkOwnerId } from "./rules/owner.ts";
import type { OwnedRuns, RunEvents } from "./run-events.ts";

/**
 * Makes the runs of one owner.
 * @throws TypeError unless it is the id of an owner
 */
export function ownedRuns(runs: Omit<RunEvents, "as">, ownerId: string): OwnedRuns {
  checkOwnerId(ownerId);
  return {
    ownerId,
    create: (run = {}) => runs.create({ ...run, ownerId }),
    append: (runId, events, options) => runs.append(runId, events, { ...options, ownerId }),
    input: (runId, payload, options) => runs.input(runId, payload, { ...options, ownerId }),
    read: (runId, options) => runs.read(runId, { ...options, ownerId }),
    tail: (runId, options) => runs.tail(runId, { ...options, ownerId }),
    get: (runId) => runs.get(runId, { ownerId }),
    list: (options) => runs.list({ ...options, ownerId }),
    watch: (options) => runs.watch({ ...options, ownerId }),
    cancel: (runId) => runs.cancel(runId, { ownerId }),
    delete: (runId) => runs.delete(runId, { ownerId }),
    claim: (runId, options) => runs.claim(runId, { ...options, ownerId }),
    renew: (runId, fence, options) => runs.renew(runId, fence, { ...options, ownerId }),
    release: (runId, fence) => runs.release(runId, fence, { ownerId }),
    work: (runId, options, task) => runs.work(runId, { ...options, ownerId }, task),
    start: (run, task) => runs.start({ ...run, ownerId }, task),
  };
}
