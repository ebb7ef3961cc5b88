import { RunEventsError } from "@tm/run-events-core";

/** One long-poll. */
interface Wait {
  readonly ownerId: string;
  readonly waitMs: number;
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal;
}

/** The long-polls that are being held. */
export class Waits {
  readonly #maxPerUser: number;
  readonly #perUser = new Map<string, number>();
  readonly #held = new Set<AbortController>();
  #isReleased = false;

  /** @param maxPerUser the same bound as that of live streams */
  constructor(maxPerUser = 32) {
    this.#maxPerUser = maxPerUser;
  }

  /**
   * Waits for what `until` resolves with.
   * @param until gets a signal that aborts when the time is up, the client has gone or the server is going down
   * @returns `null` if the time is up or the server is going down
   * @throws RunEventsError `too_many_requests`, or what `until` throws; the signal's reason if the client has gone
   * @see clauses W17 and W28 in `WIRE.md`
   */
  async hold<Result>(
    { ownerId, waitMs, signal }: Wait,
    until: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result | null> {
    if (this.#isReleased) return null;
    // A signal that was aborted before does not fire again.
    signal.throwIfAborted();
    const count = this.#perUser.get(ownerId) ?? 0;
    if (count >= this.#maxPerUser)
      throw new RunEventsError(
        "too_many_requests",
        `Expected at most ${this.#maxPerUser} waiting requests of this user, got one more. Let one end, or ask without \`wait\`.`,
      );
    this.#perUser.set(ownerId, count + 1);
    const over = new AbortController();
    this.#held.add(over);
    const stop = (): void => over.abort();
    const timer = setTimeout(stop, waitMs);
    signal.addEventListener("abort", stop, { once: true });
    try {
      return await until(over.signal);
    } catch (error) {
      if (!over.signal.aborted) throw error;
      signal.throwIfAborted();
      return null;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
      this.#held.delete(over);
      const left = (this.#perUser.get(ownerId) ?? 1) - 1;
      if (left === 0) this.#perUser.delete(ownerId);
      else this.#perUser.set(ownerId, left);
    }
  }

  /** Answers all long-polls that are held. From then on none is held. */
  release(): void {
    this.#isReleased = true;
    for (const controller of this.#held) controller.abort();
  }

  count(): number {
    return this.#held.size;
  }
}
