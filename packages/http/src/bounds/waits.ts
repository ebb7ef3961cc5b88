import { RunEventsError } from "@tm/run-events-core";
import type { RunLog } from "@tm/run-events-core/wire";

/** One long-poll. */
interface Wait {
  readonly runId: string;
  readonly ownerId: string;
  readonly since: number;
  /** The time of the event `since`, if the reader has it. @see clause W46 in `WIRE.md` */
  readonly at: string | undefined;
  readonly waitMs: number;
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal;
}

/** The long-polls that are being held. */
export interface Waits {
  /**
   * Resolves when there is something newer, the run has ended, the time is up or the server is going down.
   * @throws RunEventsError `too_many_requests`, `not_found`, `cursor_ahead`, `history_changed`; the signal's reason if the client has gone
   * @see clauses W17 and W28 in `WIRE.md`
   */
  hold(wait: Wait): Promise<void>;
  /** Answers all long-polls that are held. From then on none is held. */
  release(): void;
  count(): number;
}

/** Holds long-polls, at most 32 a user by default. It is the same bound as that of live streams. */
export function createWaits(log: RunLog, maxPerUser = 32): Waits {
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
    async hold({ runId, ownerId, since, at, waitMs, signal }) {
      if (released) return;
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
        await log.waitFor(runId, { since, at, ownerId, signal: over.signal });
      } catch (error) {
        if (!over.signal.aborted) throw error;
        signal.throwIfAborted();
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
