import type { Keys } from "./keys.ts";
import type { Subscriber, SubscriberEvents } from "./subscriber.ts";

/** What becomes of subscriptions. */
export interface SubscriptionsEvents {
  /** From now on the run is heard: the server has confirmed it. */
  readonly onHeard: (runId: string) => void;
  /** Runs that were heard are not any more, and will be again. */
  readonly onUnheard: () => void;
  readonly onMessage: (runId: string) => void;
}

/** Which runs' channels are to be heard, and which are. */
export interface Subscriptions {
  /** Unless the run is heard at once, `onHeard` follows. */
  add(runId: string): void;
  remove(runId: string): void;
  isHeard(runId: string): boolean;
  /** Subscribes to a run's channel once more: its word was not heard although it should have been. */
  renew(runId: string): void;
  beat(): void;
  close(): void;
}

/** The pause before what could not be subscribed to is tried again, in milliseconds. */
const RETRY_MS = 250;

/**
 * Keeps the server's subscriptions as they are wanted. One round is on its way at a time: what is wanted meanwhile joins
 * the next, which looks at what is wanted then, so however often a run comes and goes while commands are in flight, the
 * last word stands. A round whose connection was lost is forgotten, since the next connection begins from nothing.
 */
export function createSubscriptions(
  keys: Keys,
  open: (events: SubscriberEvents) => Subscriber,
  events: SubscriptionsEvents,
): Subscriptions {
  const wanted = new Set<string>();
  const heard = new Set<string>();
  /** Those that the server was told to let us hear, whether or not it has confirmed that. */
  const told = new Set<string>();
  let changed = new Set<string>();
  /** Counts connections; a round belongs to one. */
  let epoch = 0;
  let isUp = false;
  let isBusy = false;
  const failed = new Set<string>();
  let retryTimer: NodeJS.Timeout | null = null;
  const subscriber = open({
    onUp: () => renewAll(true),
    onDown: () => renewAll(false),
    onMessage: (channel) => events.onMessage(keys.runIdOf(channel)),
  });

  function renewAll(up: boolean): void {
    epoch += 1;
    isUp = up;
    isBusy = false;
    heard.clear();
    told.clear();
    changed = new Set(wanted);
    events.onUnheard();
    void settle();
  }

  function change(runId: string): void {
    changed.add(runId);
    void settle();
  }

  async function settle(): Promise<void> {
    if (!isUp || isBusy) return;
    isBusy = true;
    const mine = epoch;
    // Changes of the same turn share a round.
    await Promise.resolve();
    while (epoch === mine && changed.size > 0) {
      const round = [...changed];
      changed = new Set();
      const unsettled = await settleRound(round, mine);
      if (epoch === mine) retryLater(unsettled);
    }
    if (epoch === mine) isBusy = false;
  }

  /** @returns the runs that are to be tried again; until then they are looked at */
  async function settleRound(round: readonly string[], mine: number): Promise<readonly string[]> {
    const more = round.filter((runId) => wanted.has(runId) && !heard.has(runId));
    const less = round.filter((runId) => !wanted.has(runId) && told.has(runId));
    for (const runId of more) told.add(runId);
    // Not heard from here on, so that who wants one of them again waits for a round of its own.
    for (const runId of less) heard.delete(runId);
    const [subscribed, unsubscribed] = await Promise.allSettled([
      subscriber.subscribe(more.map(keys.channel)),
      subscriber.unsubscribe(less.map(keys.channel)),
    ]);
    if (epoch !== mine) return [];
    const confirmed = subscribed.status === "fulfilled" ? subscribed.value : [];
    for (const channel of confirmed) hear(keys.runIdOf(channel));
    const unsettled = more.filter((runId) => !heard.has(runId));
    if (unsubscribed.status === "rejected") return [...unsettled, ...less];
    for (const runId of less) told.delete(runId);
    return unsettled;
  }

  function hear(runId: string): void {
    heard.add(runId);
    if (wanted.has(runId)) events.onHeard(runId);
  }

  function retryLater(runIds: readonly string[]): void {
    for (const runId of runIds) failed.add(runId);
    if (failed.size === 0) return;
    retryTimer ??= setTimeout(() => {
      retryTimer = null;
      for (const runId of failed) changed.add(runId);
      failed.clear();
      void settle();
    }, RETRY_MS);
    retryTimer.unref();
  }

  return {
    add(runId) {
      wanted.add(runId);
      change(runId);
    },
    remove(runId) {
      wanted.delete(runId);
      change(runId);
    },
    isHeard: (runId) => heard.has(runId),
    renew(runId) {
      if (heard.delete(runId)) change(runId);
    },
    beat() {
      if (isUp) subscriber.beat();
    },
    close() {
      if (retryTimer !== null) clearTimeout(retryTimer);
      epoch += 1;
      isUp = false;
      subscriber.close();
    },
  };
}
