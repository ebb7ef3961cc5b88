import type { Keys } from "./keys.ts";
import type { Subscriber, SubscriberEvents } from "./subscriber.ts";

/** Called when the state of channels changes. */
export interface SubscriptionsEvents {
  /** The server has confirmed the subscription to the run's channel: from now on its messages arrive. */
  readonly onSubscribed: (runId: string) => void;
  /** The channels are no longer subscribed; each gets its `onSubscribed` again. @param isUp whether a connection is up */
  readonly onUnsubscribed: (isUp: boolean) => void;
  /** @param message empty, or the channel of the run that has changed */
  readonly onMessage: (name: string, message: string) => void;
}

/** The pause before a refused subscription is tried again, in milliseconds. */
const RETRY_MS = 250;

/**
 * Keeps the server subscribed to the channels of exactly the wanted runs. One round of commands is on its way at a time. Changes
 * that come meanwhile join the next round, which sees what is wanted then. So the last request counts, however often a run is
 * added and removed while commands are in flight. A round whose connection was lost is dropped, since the next connection
 * begins without channels.
 *
 * The state of a run, by the sets that it is in:
 *
 * | state         | wanted | requested | subscribed | `add`     | `remove` | a round begins | server confirms | server refuses  | connection lost, or new |
 * | ------------- | ------ | --------- | ---------- | --------- | -------- | -------------- | --------------- | --------------- | ----------------------- |
 * | idle          | -      | -         | -          | wanted    |          |                |                 |                 |                         |
 * | wanted        | yes    | -         | -          |           | idle     | subscribing    |                 |                 |                         |
 * | subscribing   | yes    | yes       | -          |           | leaving  |                | subscribed      | again in 250 ms | wanted                  |
 * | subscribed    | yes    | yes       | yes        |           | leaving  |                |                 |                 | wanted                  |
 * | leaving       | -      | yes       | any        | as before |          | unsubscribing  | leaving         |                 | idle                    |
 * | unsubscribing | -      | yes       | -          | wanted    |          |                | idle            | again in 250 ms | idle                    |
 *
 * `renew` takes a subscribed run back to subscribing. While no connection is up, no round begins.
 * @see clauses S13 and S14 in `STORE.md`
 */
export class Subscriptions {
  readonly #keys: Keys;
  readonly #events: SubscriptionsEvents;
  readonly #subscriber: Subscriber;
  readonly #wanted = new Set<string>();
  readonly #subscribed = new Set<string>();
  /** The runs whose channels the server was asked to subscribe to, confirmed or not. */
  readonly #requested = new Set<string>();
  /** The runs that the next round handles. */
  #changed = new Set<string>();
  readonly #failed = new Set<string>();
  #retryTimer: NodeJS.Timeout | null = null;
  /** Counts connections; a round belongs to one. */
  #epoch = 0;
  #isUp = false;
  #isBusy = false;

  constructor(
    keys: Keys,
    open: (events: SubscriberEvents) => Subscriber,
    events: SubscriptionsEvents,
  ) {
    this.#keys = keys;
    this.#events = events;
    this.#subscriber = open({
      onUp: () => this.#renewAll(true),
      onDown: () => this.#renewAll(false),
      onMessage: (channel, message) => events.onMessage(keys.nameOf(channel), message),
    });
  }

  /** Adds a wanted run. Unless its channel is still subscribed, `onSubscribed` follows. */
  add(runId: string): void {
    this.#wanted.add(runId);
    this.#change(runId);
  }

  remove(runId: string): void {
    this.#wanted.delete(runId);
    this.#change(runId);
  }

  isSubscribed(runId: string): boolean {
    return this.#subscribed.has(runId);
  }

  /** Subscribes to a run's channel again, since a message was missed. */
  renew(runId: string): void {
    if (this.#subscribed.delete(runId)) this.#change(runId);
  }

  /** Pings the server, if a connection is up. */
  beat(): void {
    if (this.#isUp) this.#subscriber.beat();
  }

  close(): void {
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer);
    this.#epoch += 1;
    this.#isUp = false;
    this.#subscriber.close();
  }

  #renewAll(isUp: boolean): void {
    this.#epoch += 1;
    this.#isUp = isUp;
    this.#isBusy = false;
    this.#subscribed.clear();
    this.#requested.clear();
    this.#changed = new Set(this.#wanted);
    this.#events.onUnsubscribed(isUp);
    void this.#settle();
  }

  #change(runId: string): void {
    this.#changed.add(runId);
    void this.#settle();
  }

  async #settle(): Promise<void> {
    if (!this.#isUp || this.#isBusy) return;
    this.#isBusy = true;
    const mine = this.#epoch;
    // Changes of the same turn share a round.
    await Promise.resolve();
    while (this.#epoch === mine && this.#changed.size > 0) {
      const round = [...this.#changed];
      this.#changed = new Set();
      const unsettled = await this.#settleRound(round, mine);
      if (this.#epoch === mine) this.#retryLater(unsettled);
    }
    if (this.#epoch === mine) this.#isBusy = false;
  }

  /**
   * Sends one round of commands.
   * @returns the runs that are tried again later; until then they are polled
   */
  async #settleRound(round: readonly string[], mine: number): Promise<readonly string[]> {
    const more = round.filter((runId) => this.#wanted.has(runId) && !this.#subscribed.has(runId));
    const less = round.filter((runId) => !this.#wanted.has(runId) && this.#requested.has(runId));
    for (const runId of more) this.#requested.add(runId);
    // Not subscribed from here on, so that a run that is wanted again waits for the next round.
    for (const runId of less) this.#subscribed.delete(runId);
    const [subscribed, unsubscribed] = await Promise.allSettled([
      this.#subscriber.subscribe(more.map(this.#keys.channel)),
      this.#subscriber.unsubscribe(less.map(this.#keys.channel)),
    ]);
    if (this.#epoch !== mine) return [];
    const confirmed = subscribed.status === "fulfilled" ? subscribed.value : [];
    for (const channel of confirmed) this.#confirm(this.#keys.nameOf(channel));
    const unsettled = more.filter((runId) => !this.#subscribed.has(runId));
    if (unsubscribed.status === "rejected") return [...unsettled, ...less];
    for (const runId of less) this.#requested.delete(runId);
    return unsettled;
  }

  #confirm(runId: string): void {
    this.#subscribed.add(runId);
    if (this.#wanted.has(runId)) this.#events.onSubscribed(runId);
  }

  #retryLater(runIds: readonly string[]): void {
    for (const runId of runIds) this.#failed.add(runId);
    if (this.#failed.size === 0) return;
    this.#retryTimer ??= setTimeout(() => this.#retry(), RETRY_MS);
    this.#retryTimer.unref();
  }

  #retry(): void {
    this.#retryTimer = null;
    for (const runId of this.#failed) this.#changed.add(runId);
    this.#failed.clear();
    void this.#settle();
  }
}
