import { setTimeout as pause } from "node:timers/promises";
import { type RunEvents, RunEventsError } from "@tm/run-events-core";
import type { RunEventStore } from "@tm/run-events-core/store";
import { GRACE_MS, REAP_MS, RUNS } from "./chaos-plan.ts";

/** A reaper that checks at each of its ticks whether it has missed a run. */
export interface Reaper {
  /** The runs that it has ended. */
  readonly ended: readonly string[];
  /** Runs that were over when a tick began, and still when it was done. */
  readonly missed: readonly string[];
  /** Ends it after the tick under way. Idempotent. */
  stop(): Promise<void>;
}

/** Reaps at once and then at each interval, until it is stopped. */
export function startReaper(runs: RunEvents, store: RunEventStore): Reaper {
  const ended: string[] = [];
  const missed: string[] = [];
  const stopping = new AbortController();

  const listExpired = async (): Promise<readonly string[]> =>
    store.listExpired({ graceMs: GRACE_MS, limit: RUNS });

  async function tick(): Promise<void> {
    const before = await listExpired();
    // At once, even after a disturbance: workers have to bear that too.
    ended.push(...(await runs.reap({ graceMs: GRACE_MS, limit: RUNS, confirmMs: 0 })));
    const after = await listExpired();
    missed.push(...before.filter((runId) => after.includes(runId)));
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      await tick().catch((error: unknown) => {
        // The database is stalled: the next tick finds what this one has not.
        if (!(error instanceof RunEventsError)) throw error;
      });
      // The end of the test ends the wait, and its timer with it.
      await pause(REAP_MS, null, { signal: stopping.signal }).catch(() => {});
    }
  }

  const running = run();
  return {
    ended,
    missed,
    stop() {
      stopping.abort();
      return running;
    },
  };
}
