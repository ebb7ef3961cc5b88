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

/** The pause before what could not be subscribed to is tried again, in milliseconds. */
const RETRY_MS = 250;

/**
 * Keeps the server's subscriptions as they are wanted. One round is on its way at a time: what is wanted meanwhile joins
 * the next, which looks at what is wanted then, so however often a run comes and goes while commands are in flight, the
 * last request counts. A round whose connection was lost is forgotten, since the next connection begins from nothing.
 *
 * A run, by the sets that it is in:
 *
 * | state         | wanted | told | heard | `add`   | `remove`      | a round begins | server confirms | server refuses  | connection lost, or new |
 * | ------------- | ------ | ---- | ----- | ------- | ------------- | -------------- | --------------- | --------------- | ----------------------- |
 * | idle          | -      | -    | -     | wanted  |               |                |                 |                 |                         |
 * | wanted        | yes    | -    | -     |         | idle          | subscribing    |                 |                 |                         |
 * | subscribing   | yes    | yes  | -     |         | leaving       |                | heard           | again in 250 ms | wanted                  |
 * | heard         | yes    | yes  | yes   |         | leaving       |                |                 |                 | wanted                  |
 * | leaving       | -      | yes  | any   | as before |             | unsubscribing  | leaving         |                 | idle                    |
 * | unsubscribing | -      | yes  | -     | wanted  |               |                | idle            | again in 250 ms | idle                    |
 *
 * `renew` takes a heard run back to subscribing. While no connection is up, no round begins.
 * @see S13, S14
 */
export class Subscriptions {
  readonly #keys: Keys;
  readonly #events: SubscriptionsEvents;
  readonly #subscriber: Subscriber;
  readonly #wanted = new Set<string>();
  readonly #heard = new Set<string>();
  /** The runs that the server was asked for, whether or not it has confirmed that. */
  readonly #told = new Set<string>();
  /** The runs that the next round looks at. */
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
      onMessage: (channel) => events.onMessage(keys.runIdOf(channel)),
    });
  }

  /** Wants a run. Unless it is heard at once, `onHeard` follows. */
  add(runId: string): void {
    this.#wanted.add(runId);
    this.#change(runId);
  }

  remove(runId: string): void {
    this.#wanted.delete(runId);
    this.#change(runId);
  }

  isHeard(runId: string): boolean {
    return this.#heard.has(runId);
  }

  /** Subscribes to a run's channel again, since a message was missed. */
  renew(runId: string): void {
    if (this.#heard.delete(runId)) this.#change(runId);
  }

  /** Pings the server. */
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
    this.#heard.clear();
    this.#told.clear();
    this.#changed = new Set(this.#wanted);
    this.#events.onUnheard();
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

  /** @returns the runs that are to be tried again; until then they are looked at */
  async #settleRound(round: readonly string[], mine: number): Promise<readonly string[]> {
    const more = round.filter((runId) => this.#wanted.has(runId) && !this.#heard.has(runId));
    const less = round.filter((runId) => !this.#wanted.has(runId) && this.#told.has(runId));
    for (const runId of more) this.#told.add(runId);
    // Not heard from here on, so that a caller that wants one of them again waits for a round of its own.
    for (const runId of less) this.#heard.delete(runId);
    const [subscribed, unsubscribed] = await Promise.allSettled([
      this.#subscriber.subscribe(more.map(this.#keys.channel)),
      this.#subscriber.unsubscribe(less.map(this.#keys.channel)),
    ]);
    if (this.#epoch !== mine) return [];
    const confirmed = subscribed.status === "fulfilled" ? subscribed.value : [];
    for (const channel of confirmed) this.#hear(this.#keys.runIdOf(channel));
    const unsettled = more.filter((runId) => !this.#heard.has(runId));
    if (unsubscribed.status === "rejected") return [...unsettled, ...less];
    for (const runId of less) this.#told.delete(runId);
    return unsettled;
  }

  #hear(runId: string): void {
    this.#heard.add(runId);
    if (this.#wanted.has(runId)) this.#events.onHeard(runId);
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
