import { claimRule, type LeaseRule, releaseRule, renewRule } from "../rules/plan-lease.ts";
import { createCalls } from "./calls.ts";
import { createWork } from "./create-work.ts";
import { idleWork, putOffWork } from "./idle-work.ts";
import { leaseWork } from "./lease-work.ts";
import type { Notifications } from "./polled-notifications.ts";
import type { RowWork, Transact, TransactionMode } from "./row-moves.ts";
import { appendWork, expiredWork, getWork, listWork, probeWork } from "./row-transactions.ts";
import { readWork } from "./row-reads.ts";
import { deleteWork, purgeWork } from "./row-removals.ts";
import type { RunEventStore, StoreCapabilities } from "./store.ts";

/** Settings of {@link createRowStore}. */
export interface RowStoreOptions {
  readonly capabilities: StoreCapabilities;
  /** Runs one transaction: of a server, the `transact` of `createConnections`. */
  readonly transact: Transact;
  /** For example from `createPolledNotifications`. The store closes it. */
  readonly notifications: Notifications;
  /**
   * A purge ends with the run that reaches this many events, since appends wait for it.
   * @defaultValue 2000
   */
  readonly mostPurgedEvents?: number;
}

/**
 * Makes a whole store over the moves of a transaction. It reads rows, core's rules decide, and it writes the result. It takes locks in
 * an order in which two calls cannot deadlock. An empty call makes no transaction. `close` waits for the calls under way; later calls
 * are refused.
 * @see clauses S1 to S31 in `STORE.md`
 *
 * @example
 * const { transact } = createConnections({ connect, release, run, begin, rowsOn, isContention, failureOf });
 * const notifications = createPolledNotifications({ selectPositions, pollMs: 250 });
 * const store = createRowStore({ capabilities, transact, notifications });
 */
export function createRowStore(options: RowStoreOptions): RunEventStore {
  const { capabilities, transact, notifications, mostPurgedEvents = 2_000 } = options;
  const calls = createCalls();

  function perform<T>(mode: TransactionMode, work: RowWork<T>): Promise<T> {
    return calls.run(() => transact(mode, work));
  }

  const lease = (runId: string, rule: LeaseRule): ReturnType<RunEventStore["claim"]> =>
    perform("write", leaseWork(runId, rule));

  return {
    capabilities,
    async createRun(request) {
      const outcome = await perform("write", createWork(request));
      if (outcome.outcome === "created") notifications.changed([outcome.run]);
      return outcome;
    },
    async append(requests) {
      if (requests.length === 0) return calls.run(async () => []);
      const { outcomes, moved } = await perform("write", appendWork(requests));
      notifications.moved(moved);
      return outcomes;
    },
    async read(queries) {
      if (queries.length === 0) return calls.run(async () => []);
      return perform("snapshot", readWork(queries));
    },
    getRun: (runId) => perform("plain", getWork(runId)),
    listRuns: (query) => perform("plain", listWork(query)),
    async deleteRun(runId, ownerId) {
      const { outcome, removed } = await perform("write", deleteWork(runId, ownerId));
      notifications.changed(removed);
      return outcome;
    },
    claim: (request) => lease(request.runId, claimRule(request)),
    renew: (request) => lease(request.runId, renewRule(request)),
    release: (request) => lease(request.runId, releaseRule(request)),
    listExpired: (query) => perform("plain", expiredWork(query)),
    async listIdle(query) {
      const { idle, early } = await perform("plain", idleWork(query));
      // The runs may have changed in between: the times are judged again under their locks.
      if (early.length > 0) await perform("write", putOffWork(early));
      return idle;
    },
    async purge(request) {
      const removed = await perform("write", purgeWork(request, mostPurgedEvents));
      notifications.changed(removed);
      return removed.map(({ runId }) => runId);
    },
    probe: () => perform("write", probeWork),
    subscribe: (subject, onNotification) => notifications.subscribe(subject, onNotification),
    close() {
      notifications.close();
      return calls.close();
    },
  };
}
