import type { RunLog } from "../log/run-log.ts";
import { isRefusal, runFinished } from "../rules/errors.ts";
import type { RunSnapshot } from "../rules/event.ts";
import { isTerminal } from "../rules/lifecycle.ts";
import type { OwnerOption } from "../rules/owner.ts";
import type { RunEventStore, Subscription } from "../store/store.ts";
import type { Clock } from "../time/clock.ts";

/** A writer that has to stop when another program ends its run. */
export interface EndWatcher {
  /** The number of the writer's appends that have landed. */
  readonly landings: () => number;
  /** Called with the reason: the run has ended, or was deleted. May be called again, and for the writer's own end. */
  readonly onEnd: (refusal: unknown) => void;
}

export interface EndWatchOptions extends EndWatcher {
  readonly clock: Clock;
  /** Reads the run: as it is, or once it has changed. */
  readonly check: () => Promise<Pick<RunSnapshot, "runStatus" | "lastSequence">>;
  /** The time without a landed append before a check, in milliseconds: appends report the end themselves. */
  readonly quietMs: number;
}

export interface EndWatch {
  /** Call it when the run may have changed. */
  notify(): void;
  /** Checks the run at once. Never rejects. */
  check(): Promise<void>;
  /** Starts no more checks. A check that is under way still calls `onEnd`. Idempotent. */
  stop(): void;
}

/**
 * Watches for the end of a run: the one way in which a worker, a writer and a recorder learn that another program has ended it. It is
 * notified by a store, or after a server's answer to a poll.
 *
 * | it is    | until                                                                | then     |
 * | -------- | -------------------------------------------------------------------- | -------- |
 * | idle     | it is notified                                                       | settling |
 * | settling | `quietMs` have passed in which nothing landed, no check is under way | checking |
 * | checking | the check is over                                                    | idle     |
 *
 * A notification during a check starts to settle meanwhile, since the check may not see the change.
 */
export function watchEnd(options: EndWatchOptions): EndWatch {
  const { clock, landings, onEnd, quietMs } = options;
  let isChecking = false;
  let seen = 0;
  let stopTimer: (() => void) | null = null;

  function settle(): void {
    stopTimer?.();
    stopTimer = null;
  }

  function notify(): void {
    if (stopTimer !== null) return;
    seen = landings();
    stopTimer = clock.every(quietMs, tick);
  }

  function tick(): void {
    const isQuiet = seen === landings();
    seen = landings();
    if (!isQuiet || isChecking) return;
    settle();
    void check();
  }

  async function check(): Promise<void> {
    isChecking = true;
    try {
      const { runStatus, lastSequence } = await options.check();
      if (isTerminal(runStatus)) onEnd(runFinished(runStatus, lastSequence));
    } catch (error) {
      // The renewals of the lease find out whether the store is away.
      if (isRefusal(error)) onEnd(error);
    }
    isChecking = false;
  }

  return {
    notify,
    check,
    stop() {
      settle();
      // A later `notify` finds a timer, and starts none.
      stopTimer = () => {};
    },
  };
}

/** The time that a worker with a store has to be quiet after a notification before the run is checked, in milliseconds. */
const QUIET_MS = 25;
/** The most that gathered events add to it, in milliseconds. */
const MOST_GATHER_MS = 250;

/** A worker whose own appends notify it, too. */
export interface StoredEndWatcher extends EndWatcher {
  /** The time that emitted events wait before they are appended, in milliseconds: the next append of a stream of tokens comes as soon. */
  readonly gatherMs: number;
}

/**
 * Watches for the end of a run in a store. The worker's own appends notify, too, so it is quiet only when no append lands for longer than
 * events gather: an append reports the end itself. If all notifications are lost, the renewals of the lease find the end.
 * @returns a subscription whose `ready` does not reject. It resolves after `onEnd` was called for a run that had ended by then
 */
export function watchStoredEnd(
  store: Pick<RunEventStore, "subscribe">,
  log: Pick<RunLog, "clock" | "getRun">,
  runId: string,
  owner: OwnerOption,
  { gatherMs, ...watcher }: StoredEndWatcher,
): Subscription {
  const end = watchEnd({
    ...watcher,
    clock: log.clock,
    check: () => log.getRun(runId, owner),
    quietMs: QUIET_MS + Math.min(gatherMs, MOST_GATHER_MS),
  });
  const subscription = store.subscribe({ ...owner, runId }, end.notify);
  return {
    // Before the subscription was ready, nothing notified.
    ready: subscription.ready.catch(() => {}).then(end.check),
    stop() {
      end.stop();
      subscription.stop();
    },
  };
}
