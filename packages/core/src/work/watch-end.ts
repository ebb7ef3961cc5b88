import type { RunLog } from "../log/run-log.ts";
import { isRefusal, runFinished } from "../rules/errors.ts";
import type { RunSnapshot } from "../rules/event.ts";
import { isTerminal } from "../rules/lifecycle.ts";
import type { OwnerOption } from "../rules/owner.ts";
import type { RunEventStore, Subscription } from "../store/store.ts";
import type { Clock } from "../time/clock.ts";

/** A worker that wants to know when another program ends its run. */
export interface EndWatcher {
  /** How many appends of the worker have landed. */
  readonly landings: () => number;
  /** Called with the reason: the run has ended, or is gone. May be called again, and for the worker's own end. */
  readonly onEnd: (refusal: unknown) => void;
}

/** How a watch looks at its run. */
export interface EndWatchOptions extends EndWatcher {
  readonly clock: Clock;
  /** Reads the run: as it is, or once it has changed. */
  readonly look: () => Promise<Pick<RunSnapshot, "runStatus" | "lastSequence">>;
  /** How long no append of the worker may have landed before a look, in milliseconds: its appends report the end themselves. */
  readonly quietMs: number;
}

/** A watch for the end of a run. */
export interface EndWatch {
  /** Says that the run may have changed. */
  notify(): void;
  /** Looks at once. Never rejects. */
  look(): Promise<void>;
  /** Starts no more looks. A look that is under way still calls `onEnd`. Idempotent. */
  stop(): void;
}

/**
 * Watches for the end of a run: the one way in which a worker, a writer and a recorder learn that another program has ended it. A
 * store notifies it, or the answer of a server to a poll.
 *
 * | it is    | until                                                               | then     |
 * | -------- | ------------------------------------------------------------------- | -------- |
 * | idle     | it is notified                                                      | settling |
 * | settling | `quietMs` have passed in which nothing landed, no look is under way | looking  |
 * | looking  | the look is over                                                    | idle     |
 *
 * A notification during a look starts to settle meanwhile, since the look may not see what it is for.
 */
export function watchEnd(options: EndWatchOptions): EndWatch {
  const { clock, landings, onEnd, quietMs } = options;
  let isLooking = false;
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
    if (!isQuiet || isLooking) return;
    settle();
    void look();
  }

  async function look(): Promise<void> {
    isLooking = true;
    try {
      const { runStatus, lastSequence } = await options.look();
      if (isTerminal(runStatus)) onEnd(runFinished(runStatus, lastSequence));
    } catch (error) {
      // The renewals find a store that is away.
      if (isRefusal(error)) onEnd(error);
    }
    isLooking = false;
  }

  return {
    notify,
    look,
    stop() {
      settle();
      // As if it settled for ever.
      stopTimer = () => {};
    },
  };
}

/** How long a worker with a store has to be quiet after a notification before a look at the run, in milliseconds. */
const QUIET_MS = 25;

/**
 * Watches for the end of a run in a store. Notifications come for the worker's own appends too. If all are lost, its renewals find
 * the end.
 * @returns a subscription whose `ready` does not reject. It resolves after `onEnd` was called for a run that had ended by then
 */
export function watchStoredEnd(
  store: Pick<RunEventStore, "subscribe">,
  log: Pick<RunLog, "clock" | "getRun">,
  runId: string,
  owner: OwnerOption,
  watcher: EndWatcher,
): Subscription {
  const end = watchEnd({
    ...watcher,
    clock: log.clock,
    look: () => log.getRun(runId, owner),
    quietMs: QUIET_MS,
  });
  const subscription = store.subscribe(runId, end.notify);
  return {
    // Before the subscription was ready, nothing notified.
    ready: subscription.ready.catch(() => {}).then(end.look),
    stop() {
      end.stop();
      subscription.stop();
    },
  };
}
