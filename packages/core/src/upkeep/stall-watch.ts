import { RunEventsError } from "../rules/errors.ts";
import type { Clock } from "../time/clock.ts";

/**
 * The interval at which a watch looks at its calls, in milliseconds. Looks are counted, not time, so that a process that was suspended does not take
 * that time for silence.
 */
const LOOK_MS = 250;
/** After how many looks without an answer the store is checked, and a stalled store again. A healthy store answers within a second. */
const QUIET_LOOKS = 4;
/** After how many looks without any answer, even to the check, the store counts as stalled. */
const STALL_LOOKS = 8;
export interface StallWatchOptions {
  readonly clock: Clock;
  /** Asks the store for something small, within a time limit. It touches no run, so that one locked run is not taken for a stall. */
  readonly check: () => Promise<unknown>;
  /** The meaning of a check that the store refuses at once: a stall, or an answer like any other. */
  readonly refusal: "stall" | "answer";
}

/**
 * Knows whether a store takes one kind of call, its reads or its writes. As long as calls are answered, no check is needed. Silence or a
 * failed call leads to a check, whose result decides; if nothing at all is answered for 2 s, the store is stalled.
 *
 * | the store is | event                                        | next      | what happens                              |
 * | ------------ | -------------------------------------------- | --------- | ----------------------------------------- |
 * | answering    | 4 looks without an answer to any call        | answering | a check                                   |
 * | answering    | a call fails `store_unavailable`             | answering | a check with the next look, unless another call is answered before |
 * | answering    | 8 looks without any answer, even to the check | stalled   | `onChange`                                |
 * | answering    | a check is refused                           | stalled   | `onChange`, unless a refusal is an answer |
 * | stalled      | a check is refused, or is late               | stalled   | 4 looks later, the next check             |
 * | stalled      | a check is answered                          | answering | `onChange`                                |
 *
 * At most one check is under way. Nothing is watched, and no timer runs, before `start`.
 */
export class StallWatch {
  readonly #options: StallWatchOptions;
  readonly #listeners = new Set<() => void>();
  #isOn = false;
  #underWay = 0;
  /** Looks since the last answer. Of a stalled store only the answer to a check counts: another may have been sent long before. */
  #quiet = 0;
  #checking: Promise<void> | null = null;
  #checkMs = 0;
  #stalledBy: RunEventsError | null = null;
  /** The same for calls that were made: one error a stall, so that a host gets each reason once. */
  #inDoubt: RunEventsError | null = null;
  #stopLooking: (() => void) | null = null;

  constructor(options: StallWatchOptions) {
    this.#options = options;
  }

  /**
   * Why the store answers no such calls; `null` while it answers them, as far as is known. It stays the same error as long as the reason is the
   * same.
   */
  get stalledBy(): RunEventsError | null {
    return this.#stalledBy;
  }

  /** The time that the latest check took, in milliseconds. */
  get checkMs(): number {
    return this.#checkMs;
  }

  /** Starts to watch. Idempotent. */
  start(): this {
    this.#isOn = true;
    return this;
  }

  /** Ends the timer for good. The result of a check that is under way is ignored. Idempotent. */
  close(): void {
    this.#isOn = false;
    this.#stopLooking?.();
    this.#stopLooking = null;
    this.#listeners.clear();
  }

  /** Calls the listener when a stall begins and when it ends, until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Makes a call to the store, and learns from its answer. */
  async track<Answer>(call: () => Promise<Answer>): Promise<Answer> {
    if (!this.#isOn) return call();
    this.#underWay += 1;
    this.#look();
    let quiet = 0;
    try {
      return await call();
    } catch (error) {
      // The next look checks.
      if (error instanceof RunEventsError && error.code === "store_unavailable")
        quiet = QUIET_LOOKS - 1;
      throw error;
    } finally {
      this.#underWay -= 1;
      if (this.#stalledBy === null) this.#quiet = quiet;
      this.#stopIfIdle();
    }
  }

  /**
   * Makes a call only while the store takes such calls.
   * @throws RunEventsError the reason of the stall: nothing was sent
   */
  async admit<Answer>(call: () => Promise<Answer>): Promise<Answer> {
    if (this.#stalledBy !== null) throw this.#stalledBy;
    return call();
  }

  /**
   * As {@link admit}, but also stops waiting when a stall begins. The call itself goes on, so use this only for a call that may be repeated.
   * @throws RunEventsError the reason of the stall; `ambiguous` if the call was already made
   */
  async unlessStalled<Answer>(call: () => Promise<Answer>): Promise<Answer> {
    return this.admit(async () => {
      const { promise: stalled, reject } = Promise.withResolvers<never>();
      const stop = this.onChange(() => {
        if (this.#inDoubt !== null) reject(this.#inDoubt);
      });
      try {
        return await Promise.race([call(), stalled]);
      } finally {
        stop();
      }
    });
  }

  /** Checks the store now. Resolves when the check has ended, even if it failed. A second call during a check waits for the same one. */
  check(): Promise<void> {
    this.#checking ??= this.#check().finally(() => (this.#checking = null));
    return this.#checking;
  }

  async #check(): Promise<void> {
    const { clock, check, refusal } = this.#options;
    const fromMs = clock.now();
    let failure: unknown = null;
    try {
      await this.track(check);
    } catch (error) {
      failure = error;
    }
    if (!this.#isOn) return;
    this.#checkMs = clock.now() - fromMs;
    this.#quiet = 0;
    // After a long silence a driver gives up by itself, so a late refusal is not an answer of the store.
    const isLate = this.#checkMs >= LOOK_MS * QUIET_LOOKS;
    if (failure === null || (refusal === "answer" && !isLate)) this.#change(null);
    else this.#change(asUnavailable(failure));
    this.#stopIfIdle();
  }

  #look(): void {
    this.#stopLooking ??= this.#options.clock.every(LOOK_MS, () => {
      this.#quiet += 1;
      if (this.#quiet >= QUIET_LOOKS) void this.check();
      if (this.#quiet >= STALL_LOOKS && this.#stalledBy === null) this.#change(noAnswer());
    });
  }

  #stopIfIdle(): void {
    if (this.#underWay > 0 || this.#quiet > 0 || this.#stalledBy !== null) return;
    this.#stopLooking?.();
    this.#stopLooking = null;
  }

  /** The store is stalled for this reason, or answers. */
  #change(reason: RunEventsError | null): void {
    const before = this.#stalledBy;
    if (before?.message === reason?.message) return;
    this.#stalledBy = reason;
    this.#inDoubt = reason && inDoubt(reason);
    if (reason !== null) this.#look();
    if ((before === null) === (reason === null)) return;
    for (const listener of this.#listeners) listener();
  }
}

function inDoubt(reason: RunEventsError): RunEventsError {
  const { message, retryable } = reason;
  return new RunEventsError("store_unavailable", message, {
    cause: reason,
    retryable,
    ambiguous: true,
  });
}

function asUnavailable(reason: unknown): RunEventsError {
  if (reason instanceof RunEventsError) return reason;
  return new RunEventsError("store_unavailable", "The store failed: the `cause` has its error.", {
    cause: reason,
  });
}

function noAnswer(): RunEventsError {
  return new RunEventsError(
    "store_unavailable",
    `Expected the store to answer, but it did not answer in ${LOOK_MS * STALL_LOOKS} ms. Check that it runs and can be reached.`,
  );
}
