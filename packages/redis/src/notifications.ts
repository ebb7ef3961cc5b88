import {
  createPoller,
  createNotifier,
  isOwnerName,
  nameOf,
  type OnNotification,
  type Poller,
  storeClosed,
  type StoreReports,
  type Subject,
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
 * always notifies. An owner has a channel too, whose messages name the run. Its subscriptions are notified once a second while it is not
 * subscribed.
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
      [...this.#subscribed.values()].filter(({ name }) => !this.#subscriptions?.isSubscribed(name)),
    );
  }

  /** The store's `subscribe`. */
  subscribe(subject: Subject, onNotification: OnNotification): Subscription {
    const refusal = this.#connection.refusal();
    if (refusal !== null) {
      const ready = Promise.reject<void>(refusal);
      // A caller that does not wait for `ready` gets the failure from its next read.
      ready.catch(() => {});
      return { ready, stop() {} };
    }
    const name = nameOf(subject);
    const remove = this.#notifier.add(name, onNotification);
    const run = this.#join(name);
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
      onSubscribed: (name) => this.#onSubscribed(name),
      onUnsubscribed: (isUp) => {
        // `close` loses the connection, too, and reports that itself.
        if (this.#connection.refusal() === null) this.#reports.connected(isUp);
        this.#unsubscribedPoller.start(UNSUBSCRIBED_POLL_MS);
      },
      onMessage: (name, message) => this.#onMessage(name, message),
    });
  }

  #onMessage(name: string, message: string): void {
    const run = this.#subscribed.get(name);
    if (run !== undefined) run.hasMessage = true;
    const changed = message === "" ? null : this.#connection.keys.nameOf(message);
    this.#notifier.notify(name, isOwnerName(name) ? changed : name);
  }

  #onSubscribed(name: string): void {
    const run = this.#subscribed.get(name);
    if (run === undefined) return;
    // Commits may have come while the channel was not subscribed.
    if (run.isReady) this.#notifier.notify(name, isOwnerName(name) ? null : name);
    run.settle();
  }

  /** Polls a run, unless an earlier poll of it is still under way. For an owner it only tests the server. */
  async #poll(run: SubscribedRun): Promise<void> {
    const isOwner = isOwnerName(run.name);
    if (run.isPolled || (isOwner && this.#subscriptions?.isSubscribed(run.name))) return;
    run.isPolled = true;
    const { redis, keys } = this.#connection;
    try {
      const { head } = keys.ofRun(run.name);
      const [ordinal, last] = await redis.hmget(head, "ordinal", "lastSequence");
      // No poll finds which runs of an owner have changed: once a second, any may have.
      const second = Math.floor(performance.now() / POLL_MS);
      this.#see(run, isOwner ? `${second}` : `${ordinal}:${last}`);
    } catch (error) {
      // The next poll finds what this one missed. But no caller should wait for it.
      run.fail(storeFailure(error));
    }
    run.isPolled = false;
  }

  #see(run: SubscribedRun, mark: string): void {
    // The subscriptions of the run have ended, and it may have new ones.
    if (this.#subscribed.get(run.name) !== run) return;
    if (run.mark !== mark) {
      const isOwner = isOwnerName(run.name);
      this.#notifier.notify(run.name, isOwner ? null : run.name);
      if (run.mark !== null && !run.hasMessage && !isOwner) this.#miss(run.name);
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

  #join(name: string): SubscribedRun {
    let run = this.#subscribed.get(name);
    if (run === undefined) {
      run = new SubscribedRun(name);
      this.#subscribed.set(name, run);
      this.#subscriptions ??= this.#open();
      this.#subscriptions.add(name);
      // The run's last subscription ended just now, and its channel is still subscribed.
      if (this.#subscriptions.isSubscribed(name)) run.settle();
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
    this.#subscribed.delete(run.name);
    this.#subscriptions?.remove(run.name);
  }
}
