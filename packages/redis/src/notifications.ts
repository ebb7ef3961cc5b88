import {
  closedSubscription,
  createNotifier,
  createPoller,
  type createStoreReports,
  nameKey,
  type RunEventStore,
  type Subject,
} from "@tm/run-events-core/store";
import type { Connection } from "./connection.ts";
import { storeFailure } from "./failure.ts";
import { Followed } from "./followed.ts";
import { readMarks } from "./marks.ts";
import { createSubscriber } from "./subscriber.ts";
import { Subscriptions } from "./subscriptions.ts";

type StoreReports = ReturnType<typeof createStoreReports>;
type Poller = ReturnType<typeof createPoller>;
type Subscription = ReturnType<RunEventStore["subscribe"]>;

/** The interval of polls of runs and owners while their channels are subscribed, in milliseconds. */
const POLL_MS = 1_000;
/** The interval of polls while their channels are not subscribed, in milliseconds. */
const UNSUBSCRIBED_POLL_MS = 50;
/** The greatest delay of a poll and the commands before it, with some 20,000 subscribed runs, in milliseconds. */
const POLL_GRACE_MS = 1_000;

/** The most that is polled in a millisecond, on average. */
const POLLED_A_MS = 20;

/** The longest time from a commit to its notification if its message is lost, in milliseconds. */
export const NOTIFY_WITHIN_MS: number = POLL_MS + POLL_GRACE_MS;

/**
 * The notifications of one store. The script of a commit publishes on the channels of the run and of its owner. One connection of the store
 * subscribes to the channels of all that is followed; the first subscription opens it. The store also polls: seldom, in case a message was
 * lost, and often while a channel is not subscribed. A mark holds what the last poll read; the first poll always notifies. An owner's mark does
 * not show every change, so that an owner whose channel is not subscribed is notified every second in any case.
 *
 * | state                 | waits for                     | is polled    | `ready`                                      |
 * | --------------------- | ----------------------------- | ------------ | -------------------------------------------- |
 * | new                   | its channel or its first poll | every 50 ms  | pending; a failed poll rejects it, and the next subscription gets a new one |
 * | ready, not subscribed | its channel                   | every 50 ms  | resolved                                     |
 * | ready, subscribed     | messages                      | every second | resolved                                     |
 *
 * A lost connection makes every channel "not subscribed" again. A poll that finds a commit without a message renews the
 * channel's subscription.
 * @see clause S13 in `STORE.md`
 */
export class Notifications {
  readonly #connection: Connection;
  readonly #reports: StoreReports;
  readonly #notifier = createNotifier();
  /** By channel. */
  readonly #followed = new Map<string, Followed>();
  readonly #poller: Poller;
  readonly #unsubscribedPoller: Poller;
  /** `null` before the first subscription. */
  #subscriptions: Subscriptions | null = null;

  constructor(connection: Connection, reports: StoreReports) {
    this.#connection = connection;
    this.#reports = reports;
    this.#poller = this.#pollEvery(
      POLL_MS,
      () => [...this.#followed.values()],
      (all) => {
        this.#subscriptions?.beat();
        for (const one of all) {
          if (!("runId" in one.subject) && !this.#isSubscribed(one)) this.#notify(one);
        }
      },
    );
    this.#unsubscribedPoller = this.#pollEvery(UNSUBSCRIBED_POLL_MS, () =>
      [...this.#followed.values()].filter((one) => !this.#isSubscribed(one)),
    );
  }

  /** The store's `subscribe`. */
  subscribe(
    subject: Subject,
    onNotification: Parameters<RunEventStore["subscribe"]>[1],
  ): Subscription {
    const refusal = this.#connection.refusal();
    if (refusal !== null) return closedSubscription(refusal);
    const remove = this.#notifier.add(subject, onNotification);
    const one = this.#join(subject);
    let isStopped = false;
    return {
      ready: one.ready,
      stop: () => {
        if (isStopped) return;
        isStopped = true;
        remove();
        this.#leave(one);
      },
    };
  }

  /** Ends all subscriptions, and closes the connection for them. */
  close(): void {
    this.#notifier.clear();
    const refusal = this.#connection.refusal();
    for (const one of this.#followed.values()) one.fail(storeFailure(refusal));
    this.#followed.clear();
    this.#poller.stop();
    this.#unsubscribedPoller.stop();
    this.#subscriptions?.close();
    this.#reports.closed();
  }

  /** Polls what is picked, and stops when nothing is picked. With very many runs the pause is longer. */
  #pollEvery(
    periodMs: number,
    pick: () => readonly Followed[],
    before: (all: readonly Followed[]) => void = () => {},
  ): Poller {
    return createPoller({
      // Waits for no answer: a server that does not answer must not delay the next poll.
      poll: () => {
        const all = pick();
        before(all);
        void this.#poll(all);
      },
      isNeeded: () => pick().length > 0,
      pauseMs: () => Math.max(periodMs, pick().length / POLLED_A_MS),
    });
  }

  #open(): Subscriptions {
    return new Subscriptions((events) => createSubscriber(this.#connection.redis, events), {
      onSubscribed: (channel) => this.#onSubscribed(channel),
      onUnsubscribed: (isUp) => {
        // `close` loses the connection, too, and reports that itself.
        if (this.#connection.refusal() === null) this.#reports.connected(isUp);
        this.#unsubscribedPoller.start(UNSUBSCRIBED_POLL_MS);
      },
      onMessage: (channel, message) => {
        const one = this.#followed.get(channel);
        if (one === undefined) return;
        one.hasMessage = true;
        // An owner's channel names the runs.
        for (const runId of message.split(" ")) this.#notify(one, runId);
      },
    });
  }

  #onSubscribed(channel: string): void {
    const one = this.#followed.get(channel);
    if (one === undefined) return;
    // Commits may have come while the channel was not subscribed. The next poll does not count them as missed.
    one.hasMessage = true;
    if (one.isReady) this.#notify(one);
    one.settle();
  }

  #isSubscribed({ channel }: Followed): boolean {
    return this.#subscriptions?.isSubscribed(channel) === true;
  }

  /** @param runId the run of an owner that has changed; `null` for any */
  #notify({ subject }: Followed, runId: string | null = null): void {
    this.#notifier.notify(nameKey(subject), "runId" in subject ? subject.runId : runId);
  }

  /** Polls those of which no earlier poll is still under way. */
  async #poll(all: readonly Followed[]): Promise<void> {
    const polled = all.filter(({ isPolled }) => !isPolled);
    for (const one of polled) one.isPolled = true;
    await readMarks(
      this.#connection,
      polled,
      (one, mark) => {
        one.isPolled = false;
        this.#see(one, mark);
      },
      (one, error) => {
        one.isPolled = false;
        // The next poll finds what this one missed. But no caller should wait for it.
        one.fail(storeFailure(error));
      },
    );
  }

  #see(one: Followed, mark: string): void {
    // Its subscriptions have ended, and there may be new ones.
    if (this.#followed.get(one.channel) !== one) return;
    if (one.mark !== mark) this.#notify(one);
    if (one.mark !== null && one.mark !== mark && !one.hasMessage) this.#miss(one);
    one.mark = mark;
    one.hasMessage = false;
    one.settle();
  }

  /** A commit came without a message. */
  #miss(one: Followed): void {
    if (!this.#isSubscribed(one)) return;
    this.#reports.report?.({ type: "notification_missed", foundBy: "poll", runs: 1 });
    this.#subscriptions?.renew(one.channel);
  }

  #join(subject: Subject): Followed {
    const { keys } = this.#connection;
    const key = "runId" in subject ? keys.ofRun(subject).head : keys.ofOwner(subject.ownerId);
    const channel = keys.channel(key);
    let one = this.#followed.get(channel);
    if (one === undefined) {
      one = new Followed(subject, channel);
      this.#followed.set(channel, one);
      this.#subscriptions ??= this.#open();
      this.#subscriptions.add(channel);
      this.#poller.start(POLL_MS);
      this.#unsubscribedPoller.start(UNSUBSCRIBED_POLL_MS);
    }
    one.subscriptions += 1;
    return one;
  }

  #leave(one: Followed): void {
    one.subscriptions -= 1;
    if (one.subscriptions > 0) return;
    // No poll and no channel will settle it any more, and a caller may be waiting.
    one.settle();
    this.#followed.delete(one.channel);
    this.#subscriptions?.remove(one.channel);
  }
}
