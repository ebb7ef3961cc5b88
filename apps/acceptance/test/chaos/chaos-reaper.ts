import { setTimeout as pause } from "node:timers/promises";
import { type RunEvents, RunEventsError } from "@tm/run-events-core";
import type { RunEventStore } from "@tm/run-events-core/store";
import { GRACE_MS, REAP_MS, RUNS } from "./chaos-plan.ts";

/** A reaper that checks at each of its ticks whether it has missed a run. */
export interface Reaper {
  /** The runs that it has ended. */
  readonly ended: readonly string[];
  /** Runs whose lease had expired when a tick began and that were still live after it. */
  readonly missed: readonly string[];
  /** Ends it after the tick under way. Idempotent. */
  stop(): Promise<void>;
}

/** Reaps at once and then at each interval, until it is stopped. */
export function startReaper(runs: RunEvents, store: RunEventStore): Reaper {
  const ended: string[] = [];
  const missed: string[] = [];
  const stopping = new AbortController();

  /** The end of each expired lease, by run. The index may also have leases that have been renewed since. */
  async function listExpired(): Promise<ReadonlyMap<string, number | null>> {
    const nowMs = await store.probe();
    const heads = await store.list({ due: "leased", forMs: GRACE_MS, limit: RUNS });
    const over = heads.filter(
      ({ leaseExpiresAtMs }) => (leaseExpiresAtMs ?? nowMs) <= nowMs - GRACE_MS,
    );
    return new Map(over.map(({ runId, leaseExpiresAtMs }) => [runId, leaseExpiresAtMs]));
  }

  async function tick(): Promise<void> {
    const before = await listExpired();
    // Without a wait even after a disturbance: workers have to survive that too.
    const reaped = await runs.reap({ graceMs: GRACE_MS, limit: RUNS, confirmMs: 0 });
    ended.push(...reaped.map(({ runId }) => runId));
    const after = await listExpired();
    for (const [runId, expiresAtMs] of before)
      if (after.get(runId) === expiresAtMs) missed.push(runId);
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
