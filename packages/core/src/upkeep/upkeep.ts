import type { AppendOutcome, AppendRequest } from "../rules/append.ts";
import { checkBound } from "../rules/check-bound.ts";
import type { RunEventStore } from "../store/store.ts";
import type { Clock } from "../time/clock.ts";
import { eachAtMost } from "../time/each-at-most.ts";
import type { ClockProbe } from "./probe.ts";
import { areSteady, type SteadyChecks, addCheck } from "./steady-checks.ts";

/** How many runs one `reap` ends at most, by default. */
const REAP_RUNS = 100;
/**
 * For how long checks have to be steady, by default and at most, in milliseconds: longer than the 10 s between two renewals of a lease
 * of 30 s, and than the 5 s after which a worker tries again at the latest.
 */
const MOST_CONFIRM_MS = 15_000;
/** How many runs one `purge` removes at most, by default. */
const PURGE_RUNS = 100;
/** How many runs that could not be ended are remembered at most: every `reap` asks for them again. */
const MOST_FAILING = 1_000;
/** How many reaped runs are on their way at once. */
const ENDS_AT_ONCE = 16;

/** Which runs to end. */
export interface ReapOptions {
  /**
   * How long ago a lease has to have expired, in milliseconds: time for another worker to claim the run and continue it.
   * @defaultValue 60,000
   * @see clause W33 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly graceMs?: number;
  /**
   * The most runs.
   * @defaultValue 100
   */
  readonly limit?: number;
  /**
   * For how long nothing may have disturbed this process' checks before a run ends, in milliseconds. After a disturbance, a live worker
   * renews in this time. Pass at least a third of the longest lease, and 6,000 for `run-events exec`. 0 ends a run at the first check.
   * @defaultValue 15,000, but no more than `graceMs`: without a grace, workers get no second chance after an outage
   * @see clause S23 in `STORE.md`
   */
  readonly confirmMs?: number;
}

/** Which runs to remove. */
export interface PurgeOptions {
  /** Removes runs that finished this long ago or longer, by the store's clock. Milliseconds, 0 or more. */
  readonly finishedForMs: number;
  /**
   * The most runs.
   * @defaultValue 100
   */
  readonly limit?: number;
}

/** Calls that a program makes from time to time for a store's runs, from any number of processes. */
export interface Upkeep {
  /**
   * Ends runs whose lease has expired as failed, with `{"reason":"lease_expired"}`. Many processes may call it: each run ends once, and
   * one that is renewed or claimed meanwhile continues.
   *
   * Call it every few seconds, at least twice in each `graceMs`: each call is a check. A run ends at the first check after its grace,
   * unless a disturbance came in the last `confirmMs`: a check that failed, came late or took long, or a jump of the store's clock.
   * Then workers may not have been able to renew, so no run ends until checks have been steady for `confirmMs`. The same holds after
   * the first check. With a check every `n` ms, that takes `max(confirmMs + 3 n, 4 n)` at most.
   * @returns the ids of the runs that this call has ended; if they are `limit` many, call it again
   * @throws RunEventsError `invalid_request`, `store_unavailable`
   * @see clause W33 in `WIRE.md` of `@tm/run-events-http`, clause S23 in `STORE.md`
   */
  reap(options?: ReapOptions): Promise<readonly string[]>;
  /**
   * Removes old runs whole, a batch a call: call it until it returns no id.
   * @returns the ids of the removed runs
   * @throws RunEventsError `invalid_request`, `store_unavailable`
   * @see clause S24 in `STORE.md`
   */
  purge(options: PurgeOptions): Promise<readonly string[]>;
}

/**
 * Makes the upkeep of a store.
 * @param append makes one append, in core's groups, and sends it again if it is in doubt
 */
export function createUpkeep(
  store: RunEventStore,
  clock: Clock,
  probe: ClockProbe,
  append: (runId: string, appender: AppendRequest["appender"]) => Promise<AppendOutcome>,
): Upkeep {
  /** Runs that could not be ended the last time: they do not hold up the runs after them. */
  let failing: ReadonlySet<string> = new Set();
  let checks: SteadyChecks | null = null;
  let underWay = 0;
  let hasMore = false;

  function record(storeMs: number | null, continues: boolean, confirmMs: number): SteadyChecks {
    return (checks = addCheck(checks, { atMs: clock.now(), storeMs, continues }, confirmMs));
  }

  /**
   * Checks for expired runs.
   * @returns the runs that were found, and whether they may end
   */
  async function findExpired(graceMs: number, limit: number, confirmMs: number) {
    const continues = underWay > 0 || hasMore;
    underWay += 1;
    try {
      const expired = await store.listExpired({ graceMs, limit: limit + failing.size });
      // With each check: an outage may end before the first run is due, and only fresh samples distinguish drift from a step of the
      // clock. A store that reads but does not write takes no renewal either.
      const storeMs = await probe();
      return { expired, mayEnd: areSteady(record(storeMs, continues, confirmMs), confirmMs) };
    } catch (error) {
      record(null, continues, confirmMs);
      throw error;
    } finally {
      underWay -= 1;
    }
  }

  /**
   * Ends runs.
   * @returns the runs that ended, those that could not be ended, and why
   */
  async function end(runIds: readonly string[], graceMs: number) {
    const ended: string[] = [];
    const failed: string[] = [];
    let failure: unknown = null;
    // The append judges again: a worker may have claimed, renewed or ended the run since the check.
    await eachAtMost(runIds, ENDS_AT_ONCE, async (runId) => {
      try {
        const { outcome } = await append(runId, { by: "reaper", graceMs });
        // Sent again because its acknowledgement was lost, it is answered as a replay.
        if (outcome === "appended" || outcome === "replayed") ended.push(runId);
      } catch (error) {
        failure = error;
        failed.push(runId);
      }
    });
    return { ended, failed, failure };
  }

  return {
    async reap({
      graceMs = 60_000,
      limit = REAP_RUNS,
      confirmMs = Math.min(MOST_CONFIRM_MS, graceMs),
    } = {}) {
      checkBound("graceMs", graceMs, 0);
      checkBound("limit", limit, 1);
      checkBound("confirmMs", confirmMs, 0);
      const { expired, mayEnd } = await findExpired(graceMs, limit, confirmMs);
      const due = mayEnd ? expired : [];
      const fresh = due.filter((runId) => !failing.has(runId));
      const again = due.filter((runId) => failing.has(runId));
      const chosen = new Set([...fresh, ...again].slice(0, limit));
      const { ended, failed, failure } = await end([...chosen], graceMs);
      const waiting = expired.filter((runId) => failing.has(runId) && !chosen.has(runId));
      const left = [...failed, ...waiting];
      // If so many fail, the fault is the store's, not the runs'.
      failing = new Set(left.length > MOST_FAILING ? [] : left);
      hasMore = ended.length > 0;
      if (ended.length === 0 && failure !== null) {
        // The store takes no end, so it takes no renewal either: the check has failed.
        record(null, true, confirmMs);
        throw failure;
      }
      return ended;
    },
    async purge({ finishedForMs, limit = PURGE_RUNS }) {
      checkBound("finishedForMs", finishedForMs, 0);
      checkBound("limit", limit, 1);
      return store.purge({ finishedForMs, limit });
    },
  };
}
