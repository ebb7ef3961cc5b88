import { tailSlices } from "./follow/tail.ts";
import { createRunLog } from "./log/create-run-log.ts";
import { checkLease, claimOf } from "./log/leases.ts";
import { observeTail } from "./log/observe.ts";
import { partsOf, type RunEventsOptions } from "./log/run-log.ts";
import { watchList } from "./log/watch-lists.ts";
import { ownedRuns } from "./owned-runs.ts";
import { checkOptions, type OwnerOption } from "./rules/owner.ts";
import { eventOf, pageOf, snapshotOf } from "./wire/run-values.ts";
import type { RunEvents } from "./run-events.ts";
import { claimedRun, createLogAccess, type RunAccess } from "./work/run-access.ts";
import { runWork, startWork } from "./work/work.ts";

/**
 * Makes runs over a store: the entry point of this package.
 * @throws TypeError for a value that is not a store, or limits that are not numbers of 1 or more
 *
 * @example
 * const runs = createRunEvents({ store: createMemoryStore() });
 * const ada = runs.as("ada");
 * const { runId } = await ada.create();
 * await ada.append(runId, [{ eventType: "RUN_STARTED" }, { eventType: "RUN_COMPLETED", payload: { answer: 42 } }]);
 * for await (const event of ada.tail(runId)) console.log(event.sequence, event.eventType, event.payload);
 */
export function createRunEvents(options: RunEventsOptions): RunEvents {
  const log = createRunLog(options);
  const { append, input, reap, purge, probe, close } = log;
  const { followers, watches, closing, listener } = partsOf(log);
  const accessFor = (owner: OwnerOption): RunAccess =>
    createLogAccess(options.store, log, owner, closing.signal);
  const runs: Omit<RunEvents, "as"> = {
    log,
    create: async (run) => snapshotOf((await log.createRun(run)).run),
    append,
    input,
    read: async (runId, page) => pageOf(await log.readPage(runId, page)),
    async *tail(runId, tailOptions) {
      const plain = tailSlices(followers, runId, tailOptions);
      const slices =
        listener === null
          ? plain
          : observeTail(plain, runId, tailOptions, log.clock, listener.report);
      for await (const slice of slices) yield* slice.events.map(eventOf);
    },
    watch: (which) => watchList(watches, which),
    get: async (runId, owner) => snapshotOf(await log.getRun(runId, owner)),
    async list(which) {
      checkOptions(which, "{ ownerId }");
      const { ownerId, topic = null, limit = 50 } = which;
      const { status: runStatus = null, cursor: before = null } = which;
      const { runs, next } = await log.listRuns({ ownerId, runStatus, topic, before, limit });
      return { runs: runs.map(snapshotOf), nextCursor: next };
    },
    cancel: async (runId, owner) => snapshotOf(await log.cancel(runId, owner)),
    delete: (runId, owner) => log.deleteRun(runId, owner),
    claim: async (runId, lease) => claimOf(await log.claim(runId, lease)),
    renew: async (runId, fence, lease) => claimOf(await log.renew(runId, fence, lease)),
    release: async (runId, fence, owner) => void (await log.release(runId, fence, owner)),
    async work(runId, workOptions, task) {
      checkOptions(workOptions, "{ leaseMs }");
      const access = accessFor(workOptions);
      return closing.hold(runWork(access, runId, workOptions, task, listener));
    },
    async start(run, task) {
      checkOptions(run, "{ ownerId, leaseMs }");
      const { ownerId, runId, metadata, topic, exclusive } = run;
      const access = accessFor({ ownerId });
      // Without a lease the creation would claim nothing.
      checkLease(run.leaseMs);
      const begin: Parameters<typeof startWork>[1] = async (leaseMs, worker) =>
        claimedRun(
          (await log.createRun({ ownerId, runId, metadata, topic, exclusive, leaseMs, worker }))
            .run,
        );
      const started = startWork(access, begin, run, task, listener);
      // Closing waits for the work.
      closing.hold(started.then(({ done }) => done)).catch(() => {});
      return started;
    },
    reap,
    purge,
    probe,
    close,
  };
  return { ...runs, as: (ownerId) => ownedRuns(runs, ownerId) };
}
