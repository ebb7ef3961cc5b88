import { checkBound } from "./check-bound.ts";
import type { Clock } from "./clock.ts";
import { eachAtMost } from "./each-at-most.ts";
import type { Probe } from "./probe.ts";
import { confirmed, lookAgain, type Suspects } from "./suspects.ts";
import type { AppendOutcome, AppendRequest, RunEventStore } from "./store.ts";

/** How many runs one `reap` ends at most, unless said otherwise. */
const REAP_RUNS = 100;
/**
 * How long a run is watched before it ends, unless said otherwise: longer than the 10 s between two renewals of a lease of 30 s,
 * and than the 5 s after which `run-events exec` tries again.
 */
const CONFIRM_MS = 15_000;
/** How many runs are watched at a time at least: those behind them wait until these have ended. */
const MOST_SUSPECTS = 1_000;
/** How many runs one `purge` removes at most, unless said otherwise. */
const PURGE_RUNS = 100;
/** How many runs that could not be ended are remembered at most: each is asked for again with every `reap`. */
const MOST_FAILING = 1_000;
/** How many reaped runs are on their way at once. */
const ENDS_AT_ONCE = 16;

/** Which runs to end. */
export interface ReapOptions {
  /** For how long a lease has to have run out. Default 60,000: time for another worker to claim the run and go on. @see W33 */
  readonly graceMs?: number;
  /** The most runs. Default 100. */
  readonly limit?: number;
  /**
   * For how long this process watches a run whose lease has run out before it ends it, in milliseconds. Its worker renews
   * meanwhile if it is alive, whatever kept it from that before: a store or a server that was away or stood still, a store's clock that
   * was set forward. Take a third of the longest lease or more, and 6,000 for `run-events exec`. 0 ends a run at the first look, as a
   * program needs that looks only once. Default 15,000. @see S23
   */
  readonly confirmMs?: number;
}

/** Which runs to remove. */
export interface PurgeOptions {
  /** Runs that finished this long ago or longer go, by the store's clock. Milliseconds, 0 or more. */
  readonly finishedForMs: number;
  /** The most runs. Default 100. */
  readonly limit?: number;
}

/** What a store's runs need from time to time, from any number of processes. */
export interface Upkeep {
  /**
   * Ends runs whose lease has run out as failed, with `{"reason":"lease_expired"}`. Many processes may do the same: each run ends
   * once, and one that is renewed or claimed meanwhile goes on.
   *
   * Call it every few seconds with the same `graceMs`: each call is a look, and a run ends once every look of the last `confirmMs` has
   * found it. A look that fails starts the wait of all runs again. The time between two looks counts for half of `confirmMs` at most.
   * With a look every `n` ms a run ends `graceMs + max(confirmMs + 2 n, 3 n)` after its lease ran out at the latest.
   * @returns the ids of the runs that this call has ended; as many as `limit` mean that there may be more
   * @throws RunEventsError `invalid_request`, `store_unavailable`
   * @see W33, S23
   */
  reap(options?: ReapOptions): Promise<readonly string[]>;
  /**
   * Removes old runs whole, a batch a call: call it until it answers none.
   * @returns the ids of the runs that are gone
   * @throws RunEventsError `invalid_request`, `store_unavailable`
   * @see S24
   */
  purge(options: PurgeOptions): Promise<readonly string[]>;
}

/**
 * The upkeep of a store.
 * @param append a single append, with core's group commit and its way with failures
 */
export function createUpkeep(
  store: RunEventStore,
  clock: Clock,
  probe: Probe,
  append: (runId: string, appender: AppendRequest["appender"]) => Promise<AppendOutcome>,
): Upkeep {
  /** Runs that could not be ended the last time: they do not stand in the way of those behind them. */
  let failing: ReadonlySet<string> = new Set();
  /** `null` before the first look, and after one that failed. */
  let suspects: Suspects | null = null;
  let failedLooks = 0;

  function forget(): void {
    suspects = null;
    failedLooks += 1;
  }

  /** Looks for expired runs. @returns all that were found, and those that have been watched for long enough */
  async function look(graceMs: number, limit: number, confirmMs: number) {
    const atMs = clock.now();
    const [before, failedBefore] = [suspects, failedLooks];
    const most = Math.max(limit, MOST_SUSPECTS) + failing.size;
    try {
      const expired = await store.listExpired({ graceMs, limit: most });
      // A store that reads but does not write takes no renewal either.
      if (expired.length > 0) await probe();
      // Another call's look may have failed meanwhile.
      const good = failedBefore === failedLooks ? before : null;
      suspects = lookAgain(good, expired, atMs, confirmMs);
      return { expired, due: confirmed(suspects, confirmMs) };
    } catch (error) {
      forget();
      throw error;
    }
  }

  /** Ends runs. @returns those that are ended, those that could not be, and why */
  async function end(runIds: readonly string[], graceMs: number) {
    const ended: string[] = [];
    const failed: string[] = [];
    let failure: unknown = null;
    // The append judges again: a worker may have claimed, renewed or ended the run since the look.
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
    async reap({ graceMs = 60_000, limit = REAP_RUNS, confirmMs = CONFIRM_MS } = {}) {
      checkBound("graceMs", graceMs, 0);
      checkBound("limit", limit, 1);
      checkBound("confirmMs", confirmMs, 0);
      const { expired, due } = await look(graceMs, limit, confirmMs);
      const fresh = due.filter((runId) => !failing.has(runId));
      const again = due.filter((runId) => failing.has(runId));
      const chosen = new Set([...fresh, ...again].slice(0, limit));
      const { ended, failed, failure } = await end([...chosen], graceMs);
      const waiting = expired.filter((runId) => failing.has(runId) && !chosen.has(runId));
      const left = [...failed, ...waiting];
      // So many are the store's trouble, not their own.
      failing = new Set(left.length > MOST_FAILING ? [] : left);
      if (ended.length === 0 && failure !== null) {
        // The store takes no end, so it takes no renewal either: the look was no good one.
        forget();
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
