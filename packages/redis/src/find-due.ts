import type { Connection } from "./connection.ts";
import { type DueEntry, dueMember } from "./due.ts";
import { dueRun, type DueRun } from "./scripts/due-run.ts";
import { firstDue } from "./scripts/first-due.ts";
import { moveDue } from "./scripts/move-due.ts";

/** What a run says of an entry. */
export interface DueTime {
  readonly atMs: number;
  /** Whether it has come true; else it may, no earlier than `atMs`. */
  readonly isTrue: boolean;
}

/** Asks an index for entries that were due some time ago, earliest first. */
export interface DueQuery {
  readonly index: string;
  /** How long ago, in milliseconds, by the clock of the index's server. */
  readonly ageMs: number;
  readonly limit: number;
  /** What the run, `null` if there is none, says of an entry; `null` if that is over. */
  readonly judge: (entry: DueEntry, run: DueRun | null, nowMs: number) => DueTime | null;
}

/** An entry as the index has it, and what its run says. */
interface Look {
  readonly entry: DueEntry;
  readonly score: number;
  readonly time: DueTime | null;
}

/** How many runs are looked at in one turn, unless more are asked for. */
const LOOKS = 50;
/**
 * Finds the runs that are due. An entry that is too early in the index is moved to its time, and the start of the index is read again
 * until it is in order. So the earliest runs come first, and entries that are not due hide no others.
 */
export function findDue(connection: Connection, query: DueQuery): Promise<readonly DueEntry[]> {
  return new DueSearch(connection, query).find();
}

class DueSearch {
  readonly #connection: Connection;
  readonly #query: DueQuery;
  /** The time of the first turn, so that entries that come due meanwhile do not keep the search from ending. */
  #nowMs: string | null = null;
  /** They may come true as early as this, and so stay where they are. */
  readonly #waiting = new Set<string>();

  constructor(connection: Connection, query: DueQuery) {
    this.#connection = connection;
    this.#query = query;
  }

  async find(): Promise<readonly DueEntry[]> {
    const { limit } = this.#query;
    for (;;) {
      const count = Math.max(limit, LOOKS) + this.#waiting.size;
      const looks = await this.#lookAtFirst(count);
      await this.#putInOrder(looks);
      const firstEarly = looks.findIndex(isEarly);
      const due = looks
        .slice(0, firstEarly === -1 ? looks.length : firstEarly)
        .filter(({ time }) => time?.isTrue)
        .slice(0, limit);
      const isAll = firstEarly === -1 && looks.length < count;
      if (isAll || due.length === limit) return due.map(({ entry }) => entry);
    }
  }

  async #lookAtFirst(count: number): Promise<readonly Look[]> {
    const { index, ageMs } = this.#query;
    const { nowMs, entries } = await firstDue(this.#connection, {
      index,
      ageMs,
      count,
      nowMs: this.#nowMs,
    });
    this.#nowMs = nowMs;
    return Promise.all(entries.map(({ entry, score }) => this.#lookAt(entry, score)));
  }

  async #lookAt(entry: DueEntry, score: number): Promise<Look> {
    const run = await dueRun(this.#connection, entry.runId);
    return { entry, score, time: this.#query.judge(entry, run, Number(this.#nowMs)) };
  }

  async #putInOrder(looks: readonly Look[]): Promise<void> {
    for (const { entry, time, score } of looks) {
      if (time !== null && !time.isTrue && time.atMs <= score) this.#waiting.add(dueMember(entry));
    }
    await Promise.all([
      this.#remove(looks.filter(({ time }) => time === null)),
      this.#putOff(looks.filter(isEarly)),
    ]);
  }

  async #remove(over: readonly Look[]): Promise<void> {
    if (over.length === 0) return;
    await this.#connection.redis.zrem(
      this.#query.index,
      ...over.map(({ entry }) => dueMember(entry)),
    );
  }

  async #putOff(early: readonly Look[]): Promise<void> {
    await this.#move("GT", early);
    // Between the look and the move a lease may have been made shorter: then one of the two sees it.
    const again = await Promise.all(
      early.map(({ entry, time }) => this.#lookAt(entry, time?.atMs ?? 0)),
    );
    await this.#move("LT", again.filter(isLate));
  }

  #move(to: "GT" | "LT", looks: readonly Look[]): Promise<void> {
    const moves = looks.map(({ entry, time }) => ({ entry, atMs: time?.atMs ?? 0 }));
    return moveDue(this.#connection, this.#query.index, to, moves);
  }
}

/** Whether the entry comes before its time. */
function isEarly({ score, time }: Look): boolean {
  return time !== null && time.atMs > score;
}

/** Whether the entry comes after its time. */
function isLate({ score, time }: Look): boolean {
  return time !== null && time.atMs < score;
}
