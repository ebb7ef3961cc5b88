import type { DueKind } from "../rules/due.ts";
import { type Head, nameKey, type RunName } from "../rules/head.ts";
import type { DueLimit, DueOutcome } from "../rules/run-rules.ts";
import type { Clock } from "../time/clock.ts";
import { eachAtMost } from "../time/each-at-most.ts";
import type { ClockProbe } from "./probe.ts";
import { addCheck, areSteady, type SteadyChecks } from "./steady-checks.ts";

/** How many runs that could not be ended are remembered at most: every `reap` asks for them again. */
const MOST_FAILING = 1_000;
/** How many runs are ended at once. */
const ENDS_AT_ONCE = 16;
/** How often a `reap` lists runs at most: those that the index has too early are put off, and show the ones behind them. */
const MOST_LISTS = 10;
/** How many runs a list has at least. */
const LEAST_LISTED = 100;

/** The calls that upkeep makes, as the log makes them. */
export interface UpkeepCalls {
  /** The runs of all owners that may be past their due time by this long, the earliest first: some are not. */
  listDue(kind: DueKind, forMs: number, limit: number): Promise<readonly Head[]>;
  /** Ends a run that is due, or puts it off. */
  end(name: RunName, limit: DueLimit): Promise<DueOutcome>;
  /** Removes runs that finished this long ago, the first ones first. */
  purge(finishedForMs: number, limit: number): Promise<readonly RunName[]>;
}

/** Which runs to end, and how many. */
export interface ReapPlan {
  readonly limits: readonly DueLimit[];
  readonly limit: number;
  readonly confirmMs: number;
}

/** A run that may be due, and the limit that was asked for: the rule judges it again. */
interface Candidate {
  readonly name: RunName;
  readonly kind: DueLimit["kind"];
  readonly limitMs: number;
}

/** What became of candidates. */
interface Ended {
  readonly ended: readonly RunName[];
  /** How many were not due after all. */
  readonly left: number;
  readonly failed: readonly RunName[];
  readonly failure: unknown;
}

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
    let { found, mayEnd } = await this.#check(plan);
    const ended: RunName[] = [];
    const failed = new Map<string, RunName>();
    let failure: unknown = null;
    for (let lists = 1; mayEnd && found.length > 0; lists++) {
      let left = 0;
      let isFailing = false;
      // Those that are left, since the index has them too early, take no room from those behind them.
      for (let at = 0; at < found.length && ended.length < limit && !isFailing;) {
        const some = found.slice(at, at + limit - ended.length);
        const done = await this.#end(some);
        at += some.length;
        left += done.left;
        ended.push(...done.ended);
        isFailing = done.failed.length > 0;
        failure = done.failure ?? failure;
        for (const name of done.failed) failed.set(nameKey(name), name);
      }
      if (left === 0 || ended.length >= limit || lists === MOST_LISTS) break;
      found = await this.#find(plan);
    }
    this.#remember(failed, found);
    this.#hasMore = ended.length > 0;
    if (ended.length === 0 && failure !== null) {
      // The store takes no end, so it takes no renewal either: the check has failed.
      this.#record(null, true, confirmMs);
      throw failure;
    }
    return ended;
  }

  /** Remembers the runs that could not be ended, this time or before, as long as they are found. */
  #remember(failed: ReadonlyMap<string, RunName>, found: readonly Candidate[]): void {
    const names = found.map(({ name }) => nameKey(name));
    const left = new Set([...failed.keys(), ...names.filter((name) => this.#failing.has(name))]);
    // If so many fail, the fault is the store's, not the runs'.
    this.#failing = left.size > MOST_FAILING ? new Set() : left;
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
    const most = Math.max(limit + this.#failing.size, LEAST_LISTED);
    const found: Candidate[] = [];
    for (const { kind, limitMs } of limits) {
      const heads = await this.#calls.listDue(kind, this.#later({ kind, limitMs }).limitMs, most);
      for (const { ownerId, runId } of heads) {
        found.push({ name: { ownerId, runId }, kind, limitMs });
      }
    }
    const isFailing = ({ name }: Candidate): boolean => this.#failing.has(nameKey(name));
    return [...found.filter((one) => !isFailing(one)), ...found.filter(isFailing)];
  }

  /** The limit, and what the store's clock has jumped ahead by. A worker renews its lease by the same clock, so a lease gets no more. */
  #later({ kind, limitMs }: DueLimit): DueLimit {
    const aheadMs = kind === "leased" ? 0 : Math.max(0, this.#checks?.aheadMs ?? 0);
    return { kind, limitMs: Math.min(limitMs + aheadMs, Number.MAX_SAFE_INTEGER) };
  }

  async #end(candidates: readonly Candidate[]): Promise<Ended> {
    const ended: RunName[] = [];
    const failed: RunName[] = [];
    let left = 0;
    let failure: unknown = null;
    // The rule judges again: a worker may have claimed, renewed or ended the run since the check. The clock may have jumped since the run
    // was found: then it is given more time.
    await eachAtMost(candidates, ENDS_AT_ONCE, async ({ name, kind, limitMs }) => {
      try {
        const outcome: DueOutcome = await this.#calls.end(name, this.#later({ kind, limitMs }));
        if (outcome === "ended") ended.push(name);
        else left += 1;
      } catch (error) {
        failure = error;
        failed.push(name);
      }
    });
    return { ended, left, failed, failure };
  }
}
