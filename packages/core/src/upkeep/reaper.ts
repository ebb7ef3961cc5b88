import type { DueKind } from "../rules/due.ts";
import { type Head, nameKey, type RunName } from "../rules/head.ts";
import type { DueLimit, DueOutcome } from "../rules/run-rules.ts";
import type { Clock } from "../time/clock.ts";
import { eachAtMost } from "../time/each-at-most.ts";
import type { ClockProbe } from "./probe.ts";
import { addCheck, areSteady, type SteadyChecks } from "./steady-checks.ts";

/** The number of runs that are ended at once. */
const ENDS_AT_ONCE = 16;
/** The least that a list asks for, so that runs which the index has too early, and which are put off, do not hide the ones behind them. */
const LEAST_LISTED = 1_000;

/** The calls that upkeep makes, as the log makes them. */
export interface UpkeepCalls {
  /** The runs of all owners that may be past their due time by this long, the earliest first: some are not. */
  listDue(kind: DueKind, forMs: number, limit: number): Promise<readonly Head[]>;
  /** Ends a run that is due, or puts it off. */
  end(name: RunName, limit: DueLimit): Promise<DueOutcome>;
  /** Removes runs that finished this long ago, the first ones first. */
  purge(finishedForMs: number, limit: number): Promise<readonly RunName[]>;
}

export interface ReapPlan {
  readonly limits: readonly DueLimit[];
  readonly limit: number;
  readonly confirmMs: number;
}

/** A run that may be due, and the limit that was asked for: the rule judges it again. */
type Candidate = RunName & DueLimit;

/** The checks of one process, and the ends of the runs that they find. */
export class Reaper {
  readonly #calls: UpkeepCalls;
  readonly #clock: Clock;
  readonly #probe: ClockProbe;
  /** Runs that could not be ended the last time, by `nameKey`: they do not hold up the runs after them. */
  #failing: ReadonlySet<string> = new Set();
  #checks: SteadyChecks | null = null;
  #underWay = 0;
  #hasMore = false;

  constructor(calls: UpkeepCalls, clock: Clock, probe: ClockProbe) {
    this.#calls = calls;
    this.#clock = clock;
    this.#probe = probe;
  }

  /** Checks, and ends runs that are due. @returns the runs that ended */
  async reap(plan: ReapPlan): Promise<readonly RunName[]> {
    const { limit, confirmMs } = plan;
    const { found, mayEnd } = await this.#check(plan);
    const ended: RunName[] = [];
    const failing = new Set<string>();
    let failure: unknown = null;
    const end = async ({ ownerId, runId, ...due }: Candidate): Promise<void> => {
      const name = { ownerId, runId };
      try {
        // The rule judges again: a worker may have claimed, renewed or ended the run since the check.
        const outcome = await this.#calls.end(name, due);
        if (outcome === "ended") ended.push(name);
      } catch (error) {
        failure = error;
        failing.add(nameKey(name));
      }
    };
    let at = 0;
    while (mayEnd && at < found.length && ended.length < limit && failing.size === 0) {
      const some = found.slice(at, at + limit - ended.length);
      at += some.length;
      await eachAtMost(some, ENDS_AT_ONCE, end);
    }
    this.#failing = failing;
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
  ): Promise<{ readonly found: readonly Candidate[]; readonly mayEnd: boolean }> {
    const { confirmMs } = plan;
    const continues = this.#underWay > 0 || this.#hasMore;
    this.#underWay += 1;
    try {
      const found = await this.#find(plan);
      // With each check: an outage may end before the first run is due, and only fresh samples distinguish drift from a step of the
      // clock. A store that reads but does not write takes no renewal either.
      const storeMs = await this.#probe();
      const checks = this.#record(storeMs, continues, confirmMs);
      return { found, mayEnd: areSteady(checks, confirmMs) };
    } catch (error) {
      this.#record(null, continues, confirmMs);
      throw error;
    } finally {
      this.#underWay -= 1;
    }
  }

  /** Finds runs that may be due. Those that could not be ended the last time come last. */
  async #find({ limits, limit }: ReapPlan): Promise<readonly Candidate[]> {
    const found: Candidate[] = [];
    for (const due of limits) {
      const most = Math.max(limit, LEAST_LISTED);
      const heads = await this.#calls.listDue(due.kind, due.limitMs, most);
      found.push(...heads.map(({ ownerId, runId }) => ({ ownerId, runId, ...due })));
    }
    const isFailing = (name: RunName): boolean => this.#failing.has(nameKey(name));
    return [...found.filter((one) => !isFailing(one)), ...found.filter(isFailing)];
  }
}
