import { checkBound } from "../rules/check-bound.ts";
import type { RunName } from "../rules/head.ts";
import type { DueLimit } from "../rules/run-rules.ts";
import { afterTurn, type Clock } from "../time/clock.ts";
import type { ClockProbe } from "./probe.ts";
import { Reaper, type UpkeepCalls } from "./reaper.ts";

/** The number of runs that one `reap` ends at most, by default. */
const REAP_RUNS = 100;
/**
 * For how long checks have to be steady, by default and at most, in milliseconds: longer than the 10 s between two renewals of a lease
 * of 30 s.
 */
const MOST_CONFIRM_MS = 15_000;
/** The number of runs that one `purge` removes at most, by default. */
const PURGE_RUNS = 100;

/** The runs to end. */
interface ReapOptions {
  /**
   * The time since a lease's end after which its run is ended, in milliseconds: time for another worker to claim the run and continue it.
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
   * renews in this time. Pass at least a third of the longest lease. 0 ends a run at the first check.
   * @defaultValue 15,000, but no more than `graceMs`: without a grace, workers get no second chance after an outage
   * @see clause S23 in `STORE.md`
   */
  readonly confirmMs?: number;
  /**
   * For how long a run may be queued, in milliseconds, from its creation. After that, without a lease, it ends with the reason
   * `never_started`.
   * @defaultValue for ever
   * @see clause W37 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly queuedForMs?: number;
  /**
   * For how long a running run may be without a lease and without an event, in milliseconds. After that it ends with the reason
   * `abandoned`.
   * @defaultValue for ever
   * @see clause W37 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly idleForMs?: number;
  /**
   * The same for a run that waits for a person's input.
   * @defaultValue for ever
   * @see clause W37 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly waitingForMs?: number;
}

/** The runs to remove. */
interface PurgeOptions {
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
   * Ends runs that no worker works on as failed: those whose lease has expired, with `{"reason":"lease_expired"}`, unless they wait for a
   * person, and those without a lease that have been idle for longer than you allow. Many processes may call it: each run ends once, and one
   * that is renewed, claimed or appended to meanwhile continues.
   *
   * Call it every few seconds, at least twice in each `graceMs`: each call is a check. A run ends at the first check after its grace,
   * unless a disturbance came in the last `confirmMs`: a check that failed, came late or took long, or a jump of the store's clock.
   * Then workers may not have been able to renew, so no run ends until checks have been steady for `confirmMs`. The same holds after
   * the first check. With a check every `n` ms, that takes `max(confirmMs + 3 n, 4 n)` at most.
   * @returns the runs that this call has ended; if they are `limit` many, call it again
   * @throws RunEventsError `invalid_request`, `store_unavailable`
   * @see clauses W33 and W37 in `WIRE.md` of `@tm/run-events-http`, clause S23 in `STORE.md`
   */
  reap(options?: ReapOptions): Promise<readonly RunName[]>;
  /**
   * Removes old runs whole, a batch a call: call it until it returns no run.
   * @returns the removed runs
   * @throws RunEventsError `invalid_request`, `store_unavailable`
   * @see clause S17 in `STORE.md`
   */
  purge(options: PurgeOptions): Promise<readonly RunName[]>;
}

export function createUpkeep(calls: UpkeepCalls, clock: Clock, probe: ClockProbe): Upkeep {
  const reaper = new Reaper(calls, clock, probe);
  return {
    async reap({
      graceMs = 60_000,
      limit = REAP_RUNS,
      confirmMs = Math.min(MOST_CONFIRM_MS, graceMs),
      queuedForMs,
      idleForMs,
      waitingForMs,
    } = {}) {
      checkBound("graceMs", graceMs, 0);
      checkBound("limit", limit, 1);
      checkBound("confirmMs", confirmMs, 0);
      const limits = Object.entries({ queuedForMs, idleForMs, waitingForMs });
      for (const [name, ms] of limits) if (ms !== undefined) checkBound(name, ms, 0);
      const due: DueLimit[] = [{ kind: "leased", limitMs: graceMs }];
      if (queuedForMs !== undefined) due.push({ kind: "queued", limitMs: queuedForMs });
      if (idleForMs !== undefined) due.push({ kind: "running", limitMs: idleForMs });
      if (waitingForMs !== undefined) due.push({ kind: "waiting", limitMs: waitingForMs });
      return reaper.reap({ limits: due, limit, confirmMs });
    },
    async purge({ finishedForMs, limit = PURGE_RUNS }) {
      checkBound("finishedForMs", finishedForMs, 0);
      checkBound("limit", limit, 1);
      // A store in this process may answer within the same turn, so a loop of calls would hold up everything else until no run is left.
      await new Promise<void>(afterTurn);
      return calls.purge(finishedForMs, limit);
    },
  };
}
