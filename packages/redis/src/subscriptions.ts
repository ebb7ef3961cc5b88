import type { Subscriber, SubscriberEvents } from "./subscriber.ts";

/** Called when the state of channels changes. */
export interface SubscriptionsEvents {
  /** The server has confirmed the subscription to the channel: from now on its messages arrive. */
  readonly onSubscribed: (channel: string) => void;
  /** The channels are no longer subscribed; each gets its `onSubscribed` again. @param isUp whether a connection is up */
  readonly onUnsubscribed: (isUp: boolean) => void;
  readonly onMessage: (channel: string, message: string) => void;
}

/** A request for a wanted channel. Each `add`, each connection and each `renew` begins another one. */
interface Request {
  isConfirmed: boolean;
}

/** The pause before what was refused is tried again, in milliseconds. */
const RETRY_MS = 250;

/**
 * Keeps the server subscribed to exactly the wanted channels. A connection performs its commands in their order, so the last one counts,
 * however often a channel is added and removed while commands are in flight. A confirmation counts for its own request only. Changes of one
 * turn share a command. What is refused is tried again, as far as it is still wanted. While no connection is up, nothing is sent: the next one
 * begins without channels, and subscribes to all.
 * @see clause S13 in `STORE.md`
 */
export class Subscriptions {
  readonly #events: SubscriptionsEvents;
  readonly #subscriber: Subscriber;
  readonly #wanted = new Map<string, Request>();
  /** The channels to subscribe to, or to unsubscribe from, with the next command. */
  #changed = new Set<string>();
  #retryTimer: NodeJS.Timeout | null = null;
  readonly #refused = new Set<string>();
  #isUp = false;

  constructor(open: (events: SubscriberEvents) => Subscriber, events: SubscriptionsEvents) {
    this.#events = events;
    this.#subscriber = open({
      onUp: () => this.#renewAll(true),
      onDown: () => this.#renewAll(false),
      onMessage: (channel, message) => events.onMessage(channel, message),
    });
  }

  /** Adds a wanted channel; `onSubscribed` follows. */
  add(channel: string): void {
    this.#wanted.set(channel, { isConfirmed: false });
    this.#change(channel);
  }

  remove(channel: string): void {
    this.#wanted.delete(channel);
    this.#change(channel);
  }

  isSubscribed(channel: string): boolean {
    return this.#wanted.get(channel)?.isConfirmed === true;
  }

  /** Subscribes to a wanted channel again, since a message was missed. */
  renew(channel: string): void {
    if (this.#wanted.has(channel)) this.add(channel);
  }

  /** Pings the server, if a connection is up. */
  beat(): void {
    if (this.#isUp) this.#subscriber.beat();
  }

  close(): void {
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer);
    this.#wanted.clear();
    this.#isUp = false;
    this.#subscriber.close();
  }

  #renewAll(isUp: boolean): void {
    this.#isUp = isUp;
    this.#changed.clear();
    this.#events.onUnsubscribed(isUp);
    for (const channel of this.#wanted.keys()) this.add(channel);
  }

  #change(channel: string): void {
    if (this.#changed.size === 0) queueMicrotask(() => this.#send());
    this.#changed.add(channel);
  }

  #send(): void {
    const changed = this.#changed;
    this.#changed = new Set();
    if (!this.#isUp) return;
    const requests = new Map<string, Request>();
    for (const channel of changed) {
      const request = this.#wanted.get(channel);
      if (request !== undefined) requests.set(channel, request);
    }
    void this.#subscribe(requests);
    const less = [...changed].filter((channel) => !requests.has(channel));
    this.#subscriber.unsubscribe(less).catch(() => this.#retryLater(less));
  }

  async #subscribe(requests: ReadonlyMap<string, Request>): Promise<void> {
    const confirmed = await this.#subscriber.subscribe([...requests.keys()]).catch(() => []);
    for (const channel of confirmed) {
      const request = requests.get(channel);
      if (request === undefined || this.#wanted.get(channel) !== request) continue;
      request.isConfirmed = true;
      this.#events.onSubscribed(channel);
    }
    const refused = [...requests].filter(
      ([channel, request]) => this.#wanted.get(channel) === request && !request.isConfirmed,
    );
    this.#retryLater(refused.map(([channel]) => channel));
  }

  /** Until then, the channels are polled. */
  #retryLater(channels: readonly string[]): void {
    for (const channel of channels) this.#refused.add(channel);
    if (this.#refused.size === 0) return;
    this.#retryTimer ??= setTimeout(() => {
      this.#retryTimer = null;
      for (const channel of this.#refused) if (!this.isSubscribed(channel)) this.#change(channel);
      this.#refused.clear();
    }, RETRY_MS);
    this.#retryTimer.unref();
  }
}
