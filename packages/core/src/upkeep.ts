import { eachAtMost } from "./each-at-most.ts";
import { RunEventsError } from "./errors.ts";
import type { AppendOutcome, AppendRequest, RunEventStore } from "./store.ts";

/** How many runs one `reap` ends at most, unless said otherwise. */
const REAP_RUNS = 100;
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
   * Ends runs whose lease has run out as failed, with `{"reason":"lease_expired"}`. Whoever else does the same meanwhile, each
   * run ends once, and one that was claimed anew goes on.
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
  append: (runId: string, appender: AppendRequest["appender"]) => Promise<AppendOutcome>,
): Upkeep {
  /** Runs that could not be ended the last time: they do not stand in the way of those behind them. */
  let failing: ReadonlySet<string> = new Set();

  return {
    async reap({ graceMs = 60_000, limit = REAP_RUNS } = {}) {
      checkBound("graceMs", graceMs, 0);
      checkBound("limit", limit, 1);
      const ended: string[] = [];
      let failure: unknown = null;
      const failed = new Set<string>();
      const expired = await store.listExpired({ graceMs, limit: limit + failing.size });
      const again = expired.filter((runId) => failing.has(runId));
      const fresh = expired.filter((runId) => !failing.has(runId));
      const chosen = [...fresh, ...again].slice(0, limit);
      // The append judges again: between the two a worker may have claimed, renewed or ended the run.
      await eachAtMost(chosen.values(), ENDS_AT_ONCE, async (runId) => {
        try {
          const { outcome } = await append(runId, { by: "reaper", graceMs });
          // Sent again because its acknowledgement was lost, it is answered as a replay.
          if (outcome === "appended" || outcome === "replayed") ended.push(runId);
        } catch (error) {
          failure = error;
          failed.add(runId);
        }
      });
      const left = [...failed, ...again.filter((runId) => !chosen.includes(runId))];
      // So many are the store's trouble, not their own.
      failing = new Set(left.length > MOST_FAILING ? [] : left);
      // One run's trouble is not the others': whoever calls again meets it again.
      if (ended.length === 0 && failure !== null) throw failure;
      return ended;
    },
    async purge({ finishedForMs, limit = PURGE_RUNS }) {
      checkBound("finishedForMs", finishedForMs, 0);
      checkBound("limit", limit, 1);
      return store.purge({ finishedForMs, limit });
    },
  };
}

function checkBound(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new RunEventsError("invalid_request", `\`${name}\` is an integer of ${least} or more.`);
  }
}
