import type { Connection } from "./connection.ts";
import { type DueEntry, dueMember } from "./due.ts";
import { dueRun, type DueRun } from "./scripts/due-run.ts";
import { firstDue } from "./scripts/first-due.ts";
import { moveDue } from "./scripts/move-due.ts";

/** The time of an entry, by its run. */
export interface DueTime {
  readonly atMs: number;
  /** Whether the entry's lease or end exists. Otherwise it may come to exist, no earlier than `atMs`. */
  readonly isTrue: boolean;
}

/** Which entries of an index to find: those that were due some time ago, earliest first. */
export interface DueQuery {
  readonly index: string;
  /** How long ago, in milliseconds, by the clock of the index's server. */
  readonly ageMs: number;
  readonly limit: number;
  /**
   * How often the start of the index is read at most, to put it in order. Then later calls do the rest.
   * @defaultValue until it is in order
   */
  readonly mostTurns?: number;
  /**
   * Finds the time of an entry in its run.
   * @param run `null` if the run does not exist
   * @param score the time of the entry in the index
   * @returns `null` if the entry's lease or end is over
   */
  readonly judge: (
    entry: DueEntry,
    run: DueRun | null,
    nowMs: number,
    score: number,
  ) => DueTime | null;
}

/** An entry that is due, and its run. */
export interface FoundDue extends DueEntry {
  readonly run: DueRun | null;
}

/** An entry as the index has it, and its time by its run. */
interface CheckedEntry {
  readonly entry: DueEntry;
  readonly run: DueRun | null;
  readonly score: number;
  readonly time: DueTime | null;
}

/** How many runs are checked in one turn, unless the limit is larger. */
const CHECKED_AT_ONCE = 50;

/**
 * Finds the runs that are due. It moves entries that are too early in the index to their time, and reads the start of the index
 * again until that is in order. So the earliest runs come first, and entries that are not due hide no others.
 */
export function findDue(connection: Connection, query: DueQuery): Promise<readonly FoundDue[]> {
  return new DueSearch(connection, query).find();
}

class DueSearch {
  readonly #connection: Connection;
  readonly #query: DueQuery;
  /** The time of the first turn, so that entries that come due meanwhile do not keep the search from ending. */
  #nowMs: string | null = null;
  /** Entries whose lease or end may come to exist at their score, and so stay where they are. */
  readonly #waiting = new Set<string>();
  /** Entries that an earlier turn found at their time. They are not read again, since a caller checks each run before it changes it. */
  readonly #inPlace = new Map<string, CheckedEntry>();

  constructor(connection: Connection, query: DueQuery) {
    this.#connection = connection;
    this.#query = query;
  }

  async find(): Promise<readonly FoundDue[]> {
    const { limit, mostTurns = Infinity } = this.#query;
    for (let turn = 1; ; turn++) {
      const count = Math.max(limit, CHECKED_AT_ONCE) + this.#waiting.size;
      const checked = await this.#checkFirst(count);
      await this.#putInOrder(checked);
      const firstEarly = checked.findIndex(isEarly);
      const due = checked
        .slice(0, firstEarly === -1 ? checked.length : firstEarly)
        .filter(({ time }) => time?.isTrue)
        .slice(0, limit);
      const isAll = firstEarly === -1 && checked.length < count;
      if (isAll || due.length === limit || turn >= mostTurns)
        return due.map(({ entry, run }) => ({ ...entry, run }));
    }
  }

  async #checkFirst(count: number): Promise<readonly CheckedEntry[]> {
    const { index, ageMs } = this.#query;
    const { nowMs, entries } = await firstDue(this.#connection, {
      index,
      ageMs,
      count,
      nowMs: this.#nowMs,
    });
    this.#nowMs = nowMs;
    return Promise.all(entries.map(({ entry, score }) => this.#checkOnce(entry, score)));
  }

  async #checkOnce(entry: DueEntry, score: number): Promise<CheckedEntry> {
    const known = this.#inPlace.get(dueMember(entry));
    return known?.score === score ? known : this.#check(entry, score);
  }

  async #check(entry: DueEntry, score: number): Promise<CheckedEntry> {
    const run = await dueRun(this.#connection, entry.runId);
    const time = this.#query.judge(entry, run, Number(this.#nowMs), score);
    const checked = { entry, run, score, time };
    if (time?.isTrue && time.atMs === score) this.#inPlace.set(dueMember(entry), checked);
    return checked;
  }

  async #putInOrder(checked: readonly CheckedEntry[]): Promise<void> {
    for (const { entry, time, score } of checked) {
      if (time !== null && !time.isTrue && time.atMs <= score) this.#waiting.add(dueMember(entry));
    }
    await Promise.all([
      this.#remove(checked.filter(({ time }) => time === null)),
      this.#putOff(checked.filter(isEarly)),
    ]);
  }

  async #remove(over: readonly CheckedEntry[]): Promise<void> {
    if (over.length === 0) return;
    await this.#connection.redis.zrem(
      this.#query.index,
      ...over.map(({ entry }) => dueMember(entry)),
    );
  }

  async #putOff(early: readonly CheckedEntry[]): Promise<void> {
    await this.#move("GT", early);
    // A lease may have been made shorter between the check and the move. The second check sees it.
    const again = await Promise.all(
      early.map(({ entry, time }) => this.#check(entry, time?.atMs ?? 0)),
    );
    await this.#move("LT", again.filter(isLate));
  }

  #move(to: "GT" | "LT", checked: readonly CheckedEntry[]): Promise<void> {
    const moves = checked.map(({ entry, time }) => ({ entry, atMs: time?.atMs ?? 0 }));
    return moveDue(this.#connection, this.#query.index, to, moves);
  }
}

/** Whether the entry comes before its time. */
function isEarly({ score, time }: CheckedEntry): boolean {
  return time !== null && time.atMs > score;
}

/** Whether the entry comes after its time. */
function isLate({ score, time }: CheckedEntry): boolean {
  return time !== null && time.atMs < score;
}
