import {
  createPoller,
  createNotifier,
  type Poller,
  storeClosed,
  type StoreReports,
  type Subscription,
} from "@tm/run-events-core/store";
import type { Connection } from "./connection.ts";
import { storeFailure } from "./failure.ts";
import { createSubscriber } from "./subscriber.ts";
import { Subscriptions } from "./subscriptions.ts";
import { SubscribedRun } from "./subscribed-run.ts";

/** How often runs are polled while their channels are subscribed, in milliseconds. */
const POLL_MS = 1_000;
/** How often runs are polled while their channels are not subscribed, in milliseconds. */
const UNSUBSCRIBED_POLL_MS = 50;
/** How late a poll and the commands before it may be, with some 20,000 subscribed runs, in milliseconds. */
const POLL_GRACE_MS = 1_000;

/** The most runs that are polled in a millisecond, on average. */
const RUNS_A_MS = 20;

/** The longest time from a commit to its notification if its message is lost, in milliseconds. */
export const NOTIFY_WITHIN_MS: number = POLL_MS + POLL_GRACE_MS;

/**
 * The notifications of one store. The script of a commit publishes on the run's channel. One connection of the store subscribes to
 * the channels of all subscribed runs; the first subscription opens it. The store also polls the runs' heads: seldom, in case a
 * message was lost, and often while a channel is not subscribed. A mark holds what the last poll read. A run's first poll
 * always notifies.
 *
 * | run's state           | waits for                     | is polled    | `ready`                                      |
 * | --------------------- | ----------------------------- | ------------ | -------------------------------------------- |
 * | new                   | its channel or its first poll | every 50 ms  | pending; a failed poll rejects it, and the next subscription gets a new one |
 * | ready, not subscribed | its channel                   | every 50 ms  | resolved                                     |
 * | ready, subscribed     | messages                      | every second | resolved                                     |
 *
 * A lost connection makes every channel "not subscribed" again. A poll that finds a commit without a message renews the
 * channel's subscription.
 * @see clauses S13 to S15 in `STORE.md`
 */
export class Notifications {
  readonly #connection: Connection;
  readonly #reports: StoreReports;
  readonly #notifier = createNotifier();
  readonly #subscribed = new Map<string, SubscribedRun>();
  readonly #poller: Poller;
  readonly #unsubscribedPoller: Poller;
  /** `null` before the first subscription. */
  #subscriptions: Subscriptions | null = null;

  constructor(connection: Connection, reports: StoreReports) {
    this.#connection = connection;
    this.#reports = reports;
    this.#poller = this.#pollEvery(
      POLL_MS,
      () => [...this.#subscribed.values()],
      () => this.#subscriptions?.beat(),
    );
    this.#unsubscribedPoller = this.#pollEvery(UNSUBSCRIBED_POLL_MS, () =>
      [...this.#subscribed.values()].filter(
        ({ runId }) => !this.#subscriptions?.isSubscribed(runId),
      ),
    );
  }

  /** The store's `subscribe`. */
  subscribe(runId: string, onNotification: () => void): Subscription {
    const refusal = this.#connection.refusal();
    if (refusal !== null) {
      const ready = Promise.reject<void>(refusal);
      // A caller that does not wait for `ready` gets the failure from its next read.
      ready.catch(() => {});
      return { ready, stop() {} };
    }
    const remove = this.#notifier.add(runId, onNotification);
    const run = this.#join(runId);
    let isStopped = false;
    return {
      ready: run.ready,
      stop: () => {
        if (isStopped) return;
        isStopped = true;
        remove();
        this.#leave(run);
      },
    };
  }

  /** Ends all subscriptions, and closes the connection for them. */
  close(): void {
    this.#notifier.clear();
    for (const run of this.#subscribed.values()) run.fail(storeClosed());
    this.#subscribed.clear();
    this.#poller.stop();
    this.#unsubscribedPoller.stop();
    this.#subscriptions?.close();
    this.#reports.closed();
  }

  /** Polls the picked runs, and stops when no run is picked. With very many runs the pause is longer. */
  #pollEvery(
    periodMs: number,
    pick: () => readonly SubscribedRun[],
    before = (): void => {},
  ): Poller {
    return createPoller({
      // Waits for no answer: a server that does not answer must not delay the next poll.
      poll: () => {
        before();
        for (const run of pick()) void this.#poll(run);
      },
      isNeeded: () => pick().length > 0,
      pauseMs: () => Math.max(periodMs, pick().length / RUNS_A_MS),
    });
  }

  #open(): Subscriptions {
    const { redis, keys } = this.#connection;
    return new Subscriptions(keys, (events) => createSubscriber(redis, events), {
      onSubscribed: (runId) => this.#onSubscribed(runId),
      onUnsubscribed: (isUp) => {
        // `close` loses the connection, too, and reports that itself.
        if (this.#connection.refusal() === null) this.#reports.connected(isUp);
        this.#unsubscribedPoller.start(UNSUBSCRIBED_POLL_MS);
      },
      onMessage: (runId) => {
        const run = this.#subscribed.get(runId);
        if (run !== undefined) run.hasMessage = true;
        this.#notifier.notify(runId);
      },
    });
  }

  #onSubscribed(runId: string): void {
    const run = this.#subscribed.get(runId);
    if (run === undefined) return;
    // Commits may have come while the channel was not subscribed.
    if (run.isReady) this.#notifier.notify(runId);
    run.settle();
  }

  /** Polls a run, unless an earlier poll of it is still under way. */
  async #poll(run: SubscribedRun): Promise<void> {
    if (run.isPolled) return;
    run.isPolled = true;
    const { redis, keys } = this.#connection;
    try {
      const { head } = keys.ofRun(run.runId);
      const [ordinal, last] = await redis.hmget(head, "ordinal", "lastSequence");
      this.#see(run, `${ordinal}:${last}`);
    } catch (error) {
      // The next poll finds what this one missed. But no caller should wait for it.
      run.fail(storeFailure(error));
    }
    run.isPolled = false;
  }

  #see(run: SubscribedRun, mark: string): void {
    // The subscriptions of the run have ended, and it may have new ones.
    if (this.#subscribed.get(run.runId) !== run) return;
    if (run.mark !== mark) {
      this.#notifier.notify(run.runId);
      if (run.mark !== null && !run.hasMessage) this.#miss(run.runId);
    }
    run.mark = mark;
    run.hasMessage = false;
    run.settle();
  }

  /** A commit came without a message. */
  #miss(runId: string): void {
    if (this.#subscriptions?.isSubscribed(runId) === true)
      this.#reports.report?.({ type: "notification_missed", foundBy: "poll", runs: 1 });
    this.#subscriptions?.renew(runId);
  }

  #join(runId: string): SubscribedRun {
    let run = this.#subscribed.get(runId);
    if (run === undefined) {
      run = new SubscribedRun(runId);
      this.#subscribed.set(runId, run);
      this.#subscriptions ??= this.#open();
      this.#subscriptions.add(runId);
      // The run's last subscription ended just now, and its channel is still subscribed.
      if (this.#subscriptions.isSubscribed(runId)) run.settle();
      this.#poller.start(POLL_MS);
      this.#unsubscribedPoller.start(UNSUBSCRIBED_POLL_MS);
    }
    run.subscriptions += 1;
    return run;
  }

  #leave(run: SubscribedRun): void {
    run.subscriptions -= 1;
    if (run.subscriptions > 0) return;
    // No poll and no channel will settle it any more, and a caller may be waiting.
    run.settle();
    this.#subscribed.delete(run.runId);
    this.#subscriptions?.remove(run.runId);
  }
}
