import { isTerminal } from "@tm/run-events-core";
import type { StoredEvent } from "@tm/run-events-core/store";
import type { KitStore } from "./kit-store.ts";
import { countNotifications, type NotificationCounter } from "./notification-counter.ts";
import { readRun } from "./read-log.ts";

/** Makes a read; by default once. */
type Reading = <Answer>(read: () => Promise<Answer>) => Promise<Answer>;

/** A reader that reads a run to its end, and only when it is notified. */
export class Follower {
  readonly events: StoredEvent[] = [];
  /** Resolves at the end of the run. */
  readonly ended: Promise<void>;
  readonly #store: KitStore;
  readonly #runId: string;
  readonly #counter: NotificationCounter;
  readonly #reading: Reading;
  #isWaiting = false;

  private constructor(
    store: KitStore,
    runId: string,
    counter: NotificationCounter,
    reading: Reading,
  ) {
    this.#reading = reading;
    this.#store = store;
    this.#runId = runId;
    this.#counter = counter;
    this.ended = this.#follow();
    // Its failure is looked at when the writers have ended.
    this.ended.catch(() => {});
  }

  /** Resolves once it is subscribed. */
  static async start(
    store: KitStore,
    runId: string,
    reading: Reading = (read) => read(),
  ): Promise<Follower> {
    const counter = countNotifications(store, runId);
    await counter.ready;
    return new Follower(store, runId, counter, reading);
  }

  /** Whether only a notification makes it read again, and none has come. */
  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  async #follow(): Promise<void> {
    for (;;) {
      const counted = this.#counter.notifyCount();
      const since = this.events.length;
      const { run, events } = await this.#reading(() =>
        readRun(this.#store, this.#runId, { since }),
      );
      this.events.push(...events);
      if (this.events.length < run.lastSequence) continue;
      if (isTerminal(run.runStatus)) return this.#counter.stop();
      this.#isWaiting = this.#counter.notifyCount() === counted;
      await this.#counter.past(counted);
      this.#isWaiting = false;
    }
  }
}
