import {
  createPoller,
  createNotifier,
  type Poller,
  storeClosed,
  type Subscription,
} from "@tm/run-events-core/store";
import type { Connection } from "./connection.ts";
import { storeFailure } from "./failure.ts";
import { createSubscriber } from "./subscriber.ts";
import { Subscriptions } from "./subscriptions.ts";
import { SubscribedRun } from "./subscribed-run.ts";

/** How often runs are looked at while their channels are heard, in milliseconds. */
const LOOK_MS = 1_000;
/** How often runs are looked at while their channels are not heard. */
const DEAF_LOOK_MS = 50;
/** What a look, and the commands before it, may come late, with some 20,000 runs watched. */
const LOOK_GRACE_MS = 1_000;

/** So many runs are looked at in a millisecond at most, over time. */
const RUNS_A_MS = 20;

/** The longest time from a commit to its notification, when its message is lost. */
export const NOTIFY_WITHIN_MS: number = LOOK_MS + LOOK_GRACE_MS;

/**
 * The notifications of one store. The script of a commit publishes on the run's channel. One connection of the process subscribes to
 * the channels of all watched runs; the first watch opens it. The process also looks at the runs' heads: seldom, in case a message
 * was lost, and often while a channel is not heard. A mark remembers what the last look saw. The first look at a run always notifies.
 *
 * | a watched run is | waits for                           | looked at   | `ready`                       |
 * | ---------------- | ----------------------------------- | ----------- | ----------------------------- |
 * | new              | its channel or the first look       | every 50 ms | pending; a failed look rejects it, and the next watch gets a new one |
 * | ready, not heard | its channel                         | every 50 ms | resolved                      |
 * | ready, heard     | messages                            | every second | resolved                     |
 *
 * A lost connection makes every run "not heard" again. A look that finds a commit without a message renews the subscription.
 * @see S13-S15
 */
export class Notifications {
  readonly #connection: Connection;
  readonly #notifier = createNotifier();
  readonly #subscribed = new Map<string, SubscribedRun>();
  readonly #looks: Poller;
  readonly #deafLooks: Poller;
  /** `null` before the first watch. */
  #subscriptions: Subscriptions | null = null;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#looks = this.#pollEvery(
      LOOK_MS,
      () => [...this.#subscribed.values()],
      () => this.#subscriptions?.beat(),
    );
    this.#deafLooks = this.#pollEvery(DEAF_LOOK_MS, () =>
      [...this.#subscribed.values()].filter(({ runId }) => !this.#subscriptions?.isHeard(runId)),
    );
  }

  /** As the contract's `subscribe`. */
  subscribe(runId: string, onNotification: () => void): Subscription {
    const refusal = this.#connection.refusal();
    if (refusal !== null) {
      const ready = Promise.reject<void>(refusal);
      // A caller that does not wait for it learns of the failure from the next read.
      ready.catch(() => {});
      return { ready, stop() {} };
    }
    const silence = this.#notifier.add(runId, onNotification);
    const run = this.#join(runId);
    let isStopped = false;
    return {
      ready: run.ready,
      stop: () => {
        if (isStopped) return;
        isStopped = true;
        silence();
        this.#leave(run);
      },
    };
  }

  /** Ends all subscriptions and the store's own connection. */
  close(): void {
    this.#notifier.clear();
    for (const run of this.#subscribed.values()) run.fail(storeClosed());
    this.#subscribed.clear();
    this.#looks.stop();
    this.#deafLooks.stop();
    this.#subscriptions?.close();
  }

  /** Looks at runs while there are any: the pause is longer where there are very many. */
  #pollEvery(
    periodMs: number,
    pick: () => readonly SubscribedRun[],
    before = (): void => {},
  ): Poller {
    return createPoller({
      poll: () => {
        before();
        return this.#lookAt(pick());
      },
      isNeeded: () => pick().length > 0,
      pauseMs: () => Math.max(periodMs, pick().length / RUNS_A_MS),
      // A look at a server that does not answer takes long, and must not put off the next.
      mostPauseMs: periodMs,
    });
  }

  #open(): Subscriptions {
    const { redis, keys } = this.#connection;
    return new Subscriptions(keys, (events) => createSubscriber(redis, events), {
      onHeard: (runId) => this.#onHeard(runId),
      onUnheard: () => this.#deafLooks.start(DEAF_LOOK_MS),
      onMessage: (runId) => {
        const run = this.#subscribed.get(runId);
        if (run !== undefined) run.hasSpoken = true;
        this.#notifier.notify(runId);
      },
    });
  }

  #onHeard(runId: string): void {
    const run = this.#subscribed.get(runId);
    if (run === undefined) return;
    // What came while it was not heard.
    if (run.isReady) this.#notifier.notify(runId);
    run.settle();
  }

  async #lookAt(runs: readonly SubscribedRun[]): Promise<void> {
    const { redis, keys } = this.#connection;
    await Promise.all(
      runs.map(async (run) => {
        try {
          const { head } = keys.ofRun(run.runId);
          const [ordinal, last] = await redis.hmget(head, "ordinal", "lastSequence");
          this.#see(run, `${ordinal}:${last}`);
        } catch (error) {
          // The log is the truth: the next look finds what this one missed. But no caller should wait for it.
          run.fail(storeFailure(error));
        }
      }),
    );
  }

  #see(run: SubscribedRun, mark: string): void {
    // The run is no longer watched, or is watched again.
    if (this.#subscribed.get(run.runId) !== run) return;
    if (run.mark !== mark) {
      this.#notifier.notify(run.runId);
      if (run.mark !== null && !run.hasSpoken) this.#subscriptions?.renew(run.runId);
    }
    run.mark = mark;
    run.hasSpoken = false;
    run.settle();
  }

  #join(runId: string): SubscribedRun {
    let run = this.#subscribed.get(runId);
    if (run === undefined) {
      run = new SubscribedRun(runId);
      this.#subscribed.set(runId, run);
      this.#subscriptions ??= this.#open();
      this.#subscriptions.add(runId);
      // The last watch was stopped just now, and its channel is still subscribed to.
      if (this.#subscriptions.isHeard(runId)) run.settle();
      this.#looks.start(LOOK_MS);
      this.#deafLooks.start(DEAF_LOOK_MS);
    }
    run.subscriptions += 1;
    return run;
  }

  #leave(run: SubscribedRun): void {
    run.subscriptions -= 1;
    if (run.subscriptions > 0) return;
    // Neither a look nor a channel will settle it, and a caller may be waiting.
    run.settle();
    this.#subscribed.delete(run.runId);
    this.#subscriptions?.remove(run.runId);
  }
}
