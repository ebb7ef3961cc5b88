import { type Clock, pause } from "../../time/clock.ts";
import { createPoller } from "../poller.ts";
import type { KvEngine } from "./engine.ts";
import { STAMP } from "./keys.ts";
import { untilDone } from "./until-done.ts";

/** The age of the stamp at which a process that has the store open moves it. */
const BEAT_MS = 500;
/** How long a process watches a stamp before it concludes that no process moves it, and the interval at which it reads it meanwhile. */
const STILL_MS = 2_500;
const LOOK_MS = 100;
/** A process whose date is less than this ahead of the stamp joins at once, in milliseconds. */
const NEAR_MS = 1_000;
/** The part by which the time runs faster or slower than the monotonic clock while it approaches the process' date. */
const SLEW = 0.001;
/** A date that differs by less than this, in milliseconds, is not approached. */
const EVEN_MS = 5;

/** The clocks of the process. */
export interface OwnClocks {
  /** Its monotonic clock. */
  readonly clock: Clock;
  /** Its date, in milliseconds since 1970. It may be wrong, and may be set. */
  readonly date: () => number;
}

/**
 * The clock of a store whose engine has none. All processes that have the store open keep one time: the greatest stamp that was written, and
 * what has passed since then by a monotonic clock. While a process lives, it moves the stamp every half second, unless another does.
 *
 * - The time never runs backwards, not even when all processes end and others begin.
 * - Processes that have the store open agree within a second, no matter how their dates are set. One that stalls is right again at once, and
 *   one whose reads are slow is late, never early.
 * - A process' date counts only where no other has the store open, or where all have stalled for 2.5 s: then the time goes on from its date, if
 *   that is later. A date that is wrong by an hour therefore matters only in the process that opens the store first.
 * - The time follows the dates of the processes, by a thousandth of what passes at most: it cannot move a lease of a minute by more than 60 ms.
 */
export class StampClock {
  readonly #engine: KvEngine;
  readonly #own: OwnClocks;
  readonly #poller: { start(delayMs: number): void; stop(): void };
  #joining: Promise<void> | null = null;
  /** The time at an instant of the monotonic clock. */
  #base: { readonly ms: number; readonly atMs: number; readonly rate: number } | null = null;

  constructor(engine: KvEngine, own: OwnClocks) {
    this.#engine = engine;
    this.#own = own;
    this.#poller = createPoller({
      poll: () => this.#beat(),
      isNeeded: () => this.#base !== null,
      pauseMs: () => BEAT_MS,
      mostPauseMs: BEAT_MS,
      clock: own.clock,
    });
  }

  /** The time, in whole milliseconds since 1970. The first call joins the other processes. */
  async now(): Promise<number> {
    this.#joining ??= this.#join().catch((error: unknown) => {
      this.#joining = null;
      throw error;
    });
    await this.#joining;
    return Math.floor(this.#time());
  }

  /** Ends the timer. Idempotent. */
  stop(): void {
    this.#poller.stop();
  }

  #time(): number {
    if (this.#base === null) return Number.NEGATIVE_INFINITY;
    const { ms, atMs, rate } = this.#base;
    return ms + (this.#own.clock.now() - atMs) * rate;
  }

  /**
   * Continues from a time, unless the clock is already past it. A stamp counts from the arrival of its answer, since the read may have waited
   * before it was made: with that wait added, a slow process would set the time forward for all.
   */
  #observe(ms: number): void {
    const nowMs = this.#own.clock.now();
    const time = Math.max(this.#time(), ms);
    const aheadMs = this.#own.date() - time;
    const rate = Math.abs(aheadMs) < EVEN_MS ? 1 : 1 + Math.sign(aheadMs) * SLEW;
    this.#base = { ms: time, atMs: nowMs, rate };
  }

  async #join(): Promise<void> {
    await untilDone(() => this.#tryToJoin());
    this.#poller.start(BEAT_MS);
  }

  /** @returns `false` if others have moved the stamp meanwhile */
  async #tryToJoin(): Promise<boolean> {
    const { clock, date } = this.#own;
    const first = await this.#read();
    if (first !== null) {
      if (date() < first + NEAR_MS) {
        this.#observe(Math.max(first, date()));
        return true;
      }
      const untilMs = clock.now() + STILL_MS;
      while (clock.now() < untilMs) {
        await pause(clock, LOOK_MS);
        const stamp = await this.#read();
        if (stamp === first) continue;
        this.#observe(stamp ?? first);
        return true;
      }
    }
    const ms = date();
    const atMs = clock.now();
    if (!(await this.#write(first, Math.floor(ms)))) return false;
    this.#observe(ms + clock.now() - atMs);
    return true;
  }

  async #beat(): Promise<void> {
    const stamp = await this.#read();
    this.#observe(stamp ?? 0);
    const ms = Math.floor(this.#time());
    // If another has moved it meanwhile, the next beat sees that.
    if (ms - (stamp ?? 0) >= BEAT_MS) await this.#write(stamp, ms);
  }

  async #read(): Promise<number | null> {
    const [value = null] = await this.#engine.read((snapshot) => snapshot.get([STAMP]));
    return value === null ? null : Number(value);
  }

  #write(before: number | null, ms: number): Promise<boolean> {
    const value = before === null ? null : String(before);
    return this.#engine.commit([{ key: STAMP, value }], [{ key: STAMP, value: String(ms) }]);
  }
}
