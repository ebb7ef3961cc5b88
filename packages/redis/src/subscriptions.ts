import type { Subscriber, SubscriberEvents } from "./subscriber.ts";

/** Called when the state of channels changes. */
export interface SubscriptionsEvents {
  /** The server has confirmed the subscription to the channel: from now on its messages arrive. */
  readonly onSubscribed: (channel: string) => void;
  /** The channels are no longer subscribed; each gets its `onSubscribed` again. @param isUp whether a connection is up */
  readonly onUnsubscribed: (isUp: boolean) => void;
  readonly onMessage: (channel: string, message: string) => void;
}

/** The pause before a refused subscription is tried again, in milliseconds. */
const RETRY_MS = 250;

/**
 * Keeps the server subscribed to exactly the wanted channels. One round of commands is on its way at a time. Changes
 * that come meanwhile join the next round, which sees what is wanted then. So the last request counts, however often a channel is
 * added and removed while commands are in flight. A round whose connection was lost is dropped, since the next connection
 * begins without channels.
 *
 * The state of a channel, by the sets that it is in:
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
 * `renew` takes a subscribed channel back to subscribing. While no connection is up, no round begins.
 * @see clause S13 in `STORE.md`
 */
export class Subscriptions {
  readonly #events: SubscriptionsEvents;
  readonly #subscriber: Subscriber;
  readonly #wanted = new Set<string>();
  readonly #subscribed = new Set<string>();
  /** The channels that the server was asked to subscribe to, confirmed or not. */
  readonly #requested = new Set<string>();
  /** The channels that the next round handles. */
  #changed = new Set<string>();
  readonly #failed = new Set<string>();
  #retryTimer: NodeJS.Timeout | null = null;
  /** Counts connections; a round belongs to one. */
  #epoch = 0;
  #isUp = false;
  #isBusy = false;

  constructor(open: (events: SubscriberEvents) => Subscriber, events: SubscriptionsEvents) {
    this.#events = events;
    this.#subscriber = open({
      onUp: () => this.#renewAll(true),
      onDown: () => this.#renewAll(false),
      onMessage: (channel, message) => events.onMessage(channel, message),
    });
  }

  /** Adds a wanted channel. Unless it is still subscribed, `onSubscribed` follows. */
  add(channel: string): void {
    this.#wanted.add(channel);
    this.#change(channel);
  }

  remove(channel: string): void {
    this.#wanted.delete(channel);
    this.#change(channel);
  }

  isSubscribed(channel: string): boolean {
    return this.#subscribed.has(channel);
  }

  /** Subscribes to a channel again, since a message was missed. */
  renew(channel: string): void {
    if (this.#subscribed.delete(channel)) this.#change(channel);
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

  #change(channel: string): void {
    this.#changed.add(channel);
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
   * @returns the channels that are tried again later; until then they are polled
   */
  async #settleRound(round: readonly string[], mine: number): Promise<readonly string[]> {
    const more = round.filter(
      (channel) => this.#wanted.has(channel) && !this.#subscribed.has(channel),
    );
    const less = round.filter(
      (channel) => !this.#wanted.has(channel) && this.#requested.has(channel),
    );
    for (const channel of more) this.#requested.add(channel);
    // Not subscribed from here on, so that a channel that is wanted again waits for the next round.
    for (const channel of less) this.#subscribed.delete(channel);
    const [subscribed, unsubscribed] = await Promise.allSettled([
      this.#subscriber.subscribe(more),
      this.#subscriber.unsubscribe(less),
    ]);
    if (this.#epoch !== mine) return [];
    const confirmed = subscribed.status === "fulfilled" ? subscribed.value : [];
    for (const channel of confirmed) this.#confirm(channel);
    const unsettled = more.filter((channel) => !this.#subscribed.has(channel));
    if (unsubscribed.status === "rejected") return [...unsettled, ...less];
    for (const channel of less) this.#requested.delete(channel);
    return unsettled;
  }

  #confirm(channel: string): void {
    this.#subscribed.add(channel);
    if (this.#wanted.has(channel)) this.#events.onSubscribed(channel);
  }

  #retryLater(channels: readonly string[]): void {
    for (const channel of channels) this.#failed.add(channel);
    if (this.#failed.size === 0) return;
    this.#retryTimer ??= setTimeout(() => this.#retry(), RETRY_MS);
    this.#retryTimer.unref();
  }

  #retry(): void {
    this.#retryTimer = null;
    for (const channel of this.#failed) this.#changed.add(channel);
    this.#failed.clear();
    void this.#settle();
  }
}
