import { type RunEvents, RunEventsError, type RunEventStore } from "@tm/run-events-core";
import { GRACE_MS, REAP_MS, RUNS } from "./chaos-plan.ts";

/** A reaper that looks at each of its ticks whether it has left anything behind. */
export interface Reaper {
  /** The runs that it has ended. */
  readonly ended: readonly string[];
  /** Runs that were over when a tick began, and still when it was done. */
  readonly missed: readonly string[];
  /** Ends it behind the tick under way. Idempotent. */
  stop(): Promise<void>;
}

/** Reaps at once and then at each interval, until it is stopped. */
export function startReaper(runs: RunEvents, store: RunEventStore): Reaper {
  const ended: string[] = [];
  const missed: string[] = [];
  let wake = (): void => {};
  let isOver = false;

  const listExpired = async (): Promise<readonly string[]> =>
    store.listExpired({ graceMs: GRACE_MS, limit: RUNS });

  async function tick(): Promise<void> {
    const before = await listExpired();
    ended.push(...(await runs.reap({ graceMs: GRACE_MS, limit: RUNS })));
    const after = await listExpired();
    missed.push(...before.filter((runId) => after.includes(runId)));
  }

  async function run(): Promise<void> {
    while (!isOver) {
      await tick().catch((error: unknown) => {
        // The database is stalled: the next tick finds what this one has not.
        if (!(error instanceof RunEventsError)) throw error;
      });
      await new Promise<void>((resolve) => {
        wake = resolve;
        setTimeout(resolve, REAP_MS);
      });
    }
  }

  const running = run();
  return {
    ended,
    missed,
    stop() {
      isOver = true;
      wake();
      return running;
    },
  };
}
