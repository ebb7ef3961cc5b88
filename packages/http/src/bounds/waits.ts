import { RunEventsError } from "@tm/run-events-core";

/** One long-poll. */
interface Wait {
  readonly ownerId: string;
  readonly waitMs: number;
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal;
}

/** The long-polls that are being held. */
export interface Waits {
  /**
   * Waits for what `until` resolves with.
   * @param until gets a signal that aborts when the time is up, the client has gone or the server is going down
   * @returns `null` if the time is up or the server is going down
   * @throws RunEventsError `too_many_requests`, or what `until` throws; the signal's reason if the client has gone
   * @see clauses W17 and W28 in `WIRE.md`
   */
  hold<Result>(wait: Wait, until: (signal: AbortSignal) => Promise<Result>): Promise<Result | null>;
  /** Answers all long-polls that are held. From then on none is held. */
  release(): void;
  count(): number;
}

/** Holds long-polls, at most 32 a user by default. It is the same bound as that of live streams. */
export function createWaits(maxPerUser = 32): Waits {
  const perUser = new Map<string, number>();
  const held = new Set<AbortController>();
  let released = false;

  function leave(ownerId: string, controller: AbortController): void {
    held.delete(controller);
    const left = (perUser.get(ownerId) ?? 1) - 1;
    if (left === 0) perUser.delete(ownerId);
    else perUser.set(ownerId, left);
  }

  return {
    async hold({ ownerId, waitMs, signal }, until) {
      if (released) return null;
      // A signal that was aborted before does not fire again.
      signal.throwIfAborted();
      const count = perUser.get(ownerId) ?? 0;
      if (count >= maxPerUser)
        throw new RunEventsError(
          "too_many_requests",
          `Expected at most ${maxPerUser} waiting requests of this user, got one more. Let one end, or ask without \`wait\`.`,
        );
      perUser.set(ownerId, count + 1);
      const over = new AbortController();
      held.add(over);
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
        leave(ownerId, over);
      }
    },
    release() {
      released = true;
      for (const controller of held) controller.abort();
    },
    count: () => held.size,
  };
}
