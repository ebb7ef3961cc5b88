import type { RunEvents } from "@tm/run-events-core";
import { describeError } from "./describe-error.ts";
import type { Log } from "./log.ts";
import type { Settings } from "./settings.ts";
import { startTicks } from "./ticks.ts";

/** The time between two purges, in milliseconds. */
const PURGE_INTERVAL_MS = 60_000;
/** The shortest rest between two batches of a purge, in milliseconds: on SQLite, a batch of small runs keeps the process busy for 1 ms. */
const LEAST_REST_MS = 3;

/**
 * The rest of a purge after a batch, given how long the batch took, both in milliseconds. It rests at least twice as long, so a purge
 * takes a third of the time at most, and on a slow store it rests for longer. During the rest, appends that waited for the batch go first.
 */
export function restAfterBatch(tookMs: number): number {
  return Math.max(2 * tookMs, LEAST_REST_MS);
}

/**
 * For how many intervals checks have to be steady at least, and for how long at most, in milliseconds. In this time a worker
 * whose renewal failed tries again.
 */
const STEADY_INTERVALS = 3;
const MOST_CONFIRM_MS = 15_000;

/** The time that checks must have been undisturbed before a run is ended. @see clause S23 in `STORE.md` */
export function confirmMsFor({
  reapIntervalMs,
  leaseGraceMs,
}: Pick<Settings, "leaseGraceMs" | "reapIntervalMs">): number {
  return Math.min(MOST_CONFIRM_MS, Math.max(STEADY_INTERVALS * reapIntervalMs, leaseGraceMs));
}

/** The dependencies of the upkeep. */
export interface UpkeepOptions {
  readonly runs: Pick<RunEvents, "reap" | "purge">;
  /** The `confirmMs` of `reap`. */
  readonly confirmMs: number;
  readonly settings: Pick<
    Settings,
    "leaseGraceMs" | "queuedForMs" | "idleForMs" | "waitingForMs" | "reapIntervalMs" | "retentionMs"
  >;
  readonly log: Log;
}

/** An upkeep that runs by itself. */
export interface RunningUpkeep {
  /**
   * Stops the upkeep. Resolves when the work under way has ended. Waits at most `mostMs` for a store that does not answer.
   * Idempotent.
   */
  stop(mostMs: number): Promise<void>;
}

/**
 * Ends runs that no worker works on. If a retention is set, it also removes old runs. It makes one call of the store a tick. Any number of
 * processes may do so on one store. A failure is logged; the next tick tries again.
 * @see clauses W33 and W37 in `WIRE.md`, clauses S17 and S23 in `STORE.md`
 */
export function startUpkeep(options: UpkeepOptions): RunningUpkeep {
  const { runs, confirmMs, settings, log } = options;
  const { leaseGraceMs, reapIntervalMs, retentionMs } = settings;
  const { queuedForMs, idleForMs, waitingForMs } = settings;
  const idleLimits = {
    ...(queuedForMs !== null && { queuedForMs }),
    ...(idleForMs !== null && { idleForMs }),
    ...(waitingForMs !== null && { waitingForMs }),
  };

  /** Returns whether a run was ended: then more may be due, even if another process ended some of them. */
  async function reap(): Promise<boolean> {
    const ended = await runs.reap({ graceMs: leaseGraceMs, confirmMs, ...idleLimits });
    for (const { ownerId, runId } of ended) log("run_expired", { ownerId, runId });
    return ended.length > 0;
  }

  /** The number of runs removed since the last line about them. */
  let purged = 0;

  async function purge(ageMs: number): Promise<boolean> {
    // By the store's clock: a server whose clock is wrong must not remove all runs.
    const { length } = await runs.purge({ finishedForMs: Math.ceil(ageMs) });
    purged += length;
    if (length === 0) logPurged();
    return length > 0;
  }

  /** Logs one line for all batches, since a line for each would fill the log while many runs are due. */
  function logPurged(): void {
    if (purged > 0) log("runs_purged", { runs: purged });
    purged = 0;
  }

  function guard(task: "reap" | "purge", work: () => Promise<boolean>): () => Promise<boolean> {
    return async () => {
      try {
        return await work();
      } catch (error) {
        log("upkeep_failed", { task, ...describeError(error) });
        return false;
      }
    };
  }

  const all = [startTicks(reapIntervalMs, guard("reap", reap))];
  if (retentionMs !== null) {
    all.push(
      startTicks(
        PURGE_INTERVAL_MS,
        guard("purge", () => purge(retentionMs)),
        restAfterBatch,
      ),
    );
  }

  return {
    async stop(mostMs) {
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, mostMs);
      await Promise.race([Promise.all(all.map((ticks) => ticks.stop())), late]);
      clearTimeout(timer);
      logPurged();
    },
  };
}
