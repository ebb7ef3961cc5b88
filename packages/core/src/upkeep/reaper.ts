import type { AppendOutcome } from "../rules/append.ts";
import type { Ender } from "../rules/failure.ts";
import type { IdleLimit } from "../rules/idle.ts";
import type { RunEventStore } from "../store/store.ts";
import type { Clock } from "../time/clock.ts";
import { eachAtMost } from "../time/each-at-most.ts";
import type { ClockProbe } from "./probe.ts";
import { addCheck, areSteady, type SteadyChecks } from "./steady-checks.ts";

/** How many runs that could not be ended are remembered at most: every `reap` asks for them again. */
const MOST_FAILING = 1_000;
/** How many appends that end runs are under way at once. */
const ENDS_AT_ONCE = 16;

/** Which runs to end, and how many. */
export interface ReapPlan {
  readonly graceMs: number;
  /** The limits of runs without a lease. */
  readonly idle: readonly IdleLimit[];
  readonly limit: number;
  readonly confirmMs: number;
}

/** A run that may end, and who ends it: the store judges it again. */
interface Due {
  readonly runId: string;
  readonly ender: Ender;
}

/** The checks of one process, and the ends of the runs that they find. */
export class Reaper {
  readonly #store: RunEventStore;
  readonly #clock: Clock;
  readonly #probe: ClockProbe;
  readonly #append: (runId: string, ender: Ender) => Promise<AppendOutcome>;
  /** Runs that could not be ended the last time: they do not hold up the runs after them. */
  #failing: ReadonlySet<string> = new Set();
  #checks: SteadyChecks | null = null;
  #underWay = 0;
  #hasMore = false;

  constructor(
    store: RunEventStore,
    clock: Clock,
    probe: ClockProbe,
    append: (runId: string, ender: Ender) => Promise<AppendOutcome>,
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#probe = probe;
    this.#append = append;
  }

  /** Checks, and ends runs that are due. @returns the ids of the runs that ended */
  async reap(plan: ReapPlan): Promise<readonly string[]> {
    const { limit, confirmMs } = plan;
    const { found, mayEnd } = await this.#check(plan);
    const due = mayEnd ? found : [];
    const fresh = due.filter(({ runId }) => !this.#failing.has(runId));
    const again = due.filter(({ runId }) => this.#failing.has(runId));
    const chosen = [...fresh, ...again].slice(0, limit);
    const chosenIds = new Set(chosen.map(({ runId }) => runId));
    const { ended, failed, failure } = await this.#end(chosen);
    const waiting = found
      .map(({ runId }) => runId)
      .filter((runId) => this.#failing.has(runId) && !chosenIds.has(runId));
    const left = [...failed, ...waiting];
    // If so many fail, the fault is the store's, not the runs'.
    this.#failing = new Set(left.length > MOST_FAILING ? [] : left);
    this.#hasMore = ended.length > 0;
    if (ended.length === 0 && failure !== null) {
      // The store takes no end, so it takes no renewal either: the check has failed.
      this.#record(null, true, confirmMs);
      throw failure;
    }
    return ended;
  }

  #record(storeMs: number | null, continues: boolean, confirmMs: number): SteadyChecks {
    const check = { atMs: this.#clock.now(), storeMs, continues };
    return (this.#checks = addCheck(this.#checks, check, confirmMs));
  }

  /** One check. @returns the runs that were found, and whether they may end */
  async #check(
    plan: ReapPlan,
  ): Promise<{ readonly found: readonly Due[]; readonly mayEnd: boolean }> {
    const { confirmMs } = plan;
    const continues = this.#underWay > 0 || this.#hasMore;
    this.#underWay += 1;
    try {
      const found = await this.#find(plan);
      // With each check: an outage may end before the first run is due, and only fresh samples distinguish drift from a step of the
      // clock. A store that reads but does not write takes no renewal either.
      const storeMs = await this.#probe();
      const checks = this.#record(storeMs, continues, confirmMs);
      // The clock may have jumped since the runs were found: then they are given more time.
      return { found: found(), mayEnd: areSteady(checks, confirmMs) };
    } catch (error) {
      this.#record(null, continues, confirmMs);
      throw error;
    } finally {
      this.#underWay -= 1;
    }
  }

  /**
   * Finds the runs that are due.
   * @returns a function, which gives each run its ender by the checks as they are then
   */
  async #find({ graceMs, idle, limit }: ReapPlan): Promise<() => readonly Due[]> {
    const most = limit + this.#failing.size;
    const expired = await this.#store.listExpired({ graceMs, limit: most });
    const kinds: { readonly runIds: readonly string[]; readonly enderNow: () => Ender }[] = [
      { runIds: expired, enderNow: () => ({ by: "reaper", graceMs }) },
    ];
    for (const one of idle) {
      const runIds = await this.#store.listIdle({ ...this.#later(one), limit: most });
      kinds.push({ runIds, enderNow: () => ({ by: "sweeper", ...this.#later(one) }) });
    }
    return () =>
      kinds.flatMap(({ runIds, enderNow }) =>
        runIds.map((runId) => ({ runId, ender: enderNow() })),
      );
  }

  /** The limit, and what the store's clock has jumped ahead by. */
  #later({ runStatus, idleForMs }: IdleLimit): IdleLimit {
    const aheadMs = Math.max(0, this.#checks?.aheadMs ?? 0);
    return { runStatus, idleForMs: Math.min(idleForMs + aheadMs, Number.MAX_SAFE_INTEGER) };
  }

  /**
   * Ends runs.
   * @returns the runs that ended, those that could not be ended, and why
   */
  async #end(due: readonly Due[]): Promise<{
    readonly ended: readonly string[];
    readonly failed: readonly string[];
    readonly failure: unknown;
  }> {
    const ended: string[] = [];
    const failed: string[] = [];
    let failure: unknown = null;
    // The append judges again: a worker may have claimed, renewed or ended the run since the check.
    await eachAtMost(due, ENDS_AT_ONCE, async ({ runId, ender }) => {
      try {
        const { outcome } = await this.#append(runId, ender);
        // Sent again because its acknowledgement was lost, it is answered as a replay.
        if (outcome === "appended" || outcome === "replayed") ended.push(runId);
      } catch (error) {
        failure = error;
        failed.push(runId);
      }
    });
    return { ended, failed, failure };
  }
}
