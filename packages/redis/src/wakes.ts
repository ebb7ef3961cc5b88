import { createWatchers, storeClosed, type Watch } from "@tm/run-events-core/store";
import type { Connection } from "./connection.ts";
import { storeFailure } from "./failure.ts";
import { createLooks } from "./looks.ts";
import { createSubscriber } from "./subscriber.ts";
import { createSubscriptions, type Subscriptions } from "./subscriptions.ts";

/** The bells of one store. */
export interface Wakes {
  /** As the contract's `watch`. */
  watch(runId: string, wake: () => void): Watch;
  /** Takes all bells off and ends the store's own connection. */
  close(): void;
}

/** A run that somebody watches. */
interface Watched {
  readonly runId: string;
  watches: number;
  /** From here on every commit rings. */
  ready: PromiseWithResolvers<void>;
  isReady: boolean;
  /** What the run was like when it was last looked at; `null` before that. */
  mark: string | null;
  /** Whether its channel has spoken since. */
  hasSpoken: boolean;
}

/** How often runs are looked at although their channels are heard, in milliseconds. */
const LOOK_MS = 1_000;
/** How often runs are looked at while their channels are not heard. */
const DEAF_LOOK_MS = 50;
/** What a look, and the commands before it, may come late, with some 20,000 runs watched. */
const LOOK_GRACE_MS = 1_000;

/** The longest from a commit to its ring, when its message is lost. */
export const WAKE_DEADLINE_MS: number = LOOK_MS + LOOK_GRACE_MS;

/**
 * Keeps the bells. The script of a commit speaks on the run's channel; the process hears the channels of the runs that it
 * watches on one connection of its own, made for the first of them. Beneath that it looks at their heads: seldom, in
 * case a message was lost, and often while a channel is not heard. What the bell has rung for is remembered as a mark; a
 * run that has not been looked at yet rings once for nothing.
 * @see S13-S15
 */
export function createWakes(connection: Connection): Wakes {
  const { redis, keys } = connection;
  const watchers = createWatchers();
  const watched = new Map<string, Watched>();
  let subscriptions: Subscriptions | null = null;

  const looks = createLooks({
    periodMs: LOOK_MS,
    pick: () => [...watched.values()],
    look(runs) {
      subscriptions?.beat();
      return lookAt(runs);
    },
  });
  const deafLooks = createLooks({
    periodMs: DEAF_LOOK_MS,
    pick: () => [...watched.values()].filter(({ runId }) => !subscriptions?.isHeard(runId)),
    look: lookAt,
  });

  function open(): Subscriptions {
    return createSubscriptions(keys, (events) => createSubscriber(redis, events), {
      onHeard(runId) {
        const run = watched.get(runId);
        if (run === undefined) return;
        // What came while it was not heard.
        if (run.isReady) watchers.ring(runId);
        settle(run);
      },
      onUnheard: () => deafLooks.start(),
      onMessage(runId) {
        const run = watched.get(runId);
        if (run !== undefined) run.hasSpoken = true;
        watchers.ring(runId);
      },
    });
  }

  async function lookAt(runs: readonly Watched[]): Promise<void> {
    await Promise.all(
      runs.map(async (run) => {
        try {
          const { head } = keys.ofRun(run.runId);
          const [ordinal, last] = await redis.hmget(head, "ordinal", "lastSequence");
          see(run, `${ordinal}:${last}`);
        } catch (error) {
          // A bell is not the truth: what this look missed, the next one finds. But nobody is to wait for it.
          run.ready.reject(storeFailure(error));
          if (!run.isReady) run.ready = createReady();
        }
      }),
    );
  }

  function see(run: Watched, mark: string): void {
    // Nobody watches it any more, or somebody anew.
    if (watched.get(run.runId) !== run) return;
    if (run.mark !== mark) {
      watchers.ring(run.runId);
      if (run.mark !== null && !run.hasSpoken) subscriptions?.renew(run.runId);
    }
    run.mark = mark;
    run.hasSpoken = false;
    settle(run);
  }

  function settle(run: Watched): void {
    run.isReady = true;
    run.ready.resolve();
  }

  function join(runId: string): Watched {
    let run = watched.get(runId);
    if (run === undefined) {
      run = {
        runId,
        watches: 0,
        ready: createReady(),
        isReady: false,
        mark: null,
        hasSpoken: false,
      };
      watched.set(runId, run);
      subscriptions ??= open();
      subscriptions.add(runId);
      // Somebody has just left it, and it was not unsubscribed from yet.
      if (subscriptions.isHeard(runId)) settle(run);
      looks.start();
      deafLooks.start();
    }
    run.watches += 1;
    return run;
  }

  function leave(run: Watched): void {
    run.watches -= 1;
    if (run.watches > 0) return;
    // No look and no channel comes back to it, and somebody may be waiting.
    run.ready.resolve();
    watched.delete(run.runId);
    subscriptions?.remove(run.runId);
  }

  return {
    watch(runId, wake) {
      const refusal = connection.refusal();
      if (refusal !== null) {
        const { promise, reject } = createReady();
        reject(refusal);
        return { ready: promise, stop() {} };
      }
      const silence = watchers.add(runId, wake);
      const run = join(runId);
      let isStopped = false;
      return {
        ready: run.ready.promise,
        stop() {
          if (isStopped) return;
          isStopped = true;
          silence();
          leave(run);
        },
      };
    },
    close() {
      watchers.clear();
      for (const run of watched.values()) run.ready.reject(storeClosed());
      watched.clear();
      looks.stop();
      deafLooks.stop();
      subscriptions?.close();
    },
  };
}

function createReady(): PromiseWithResolvers<void> {
  const ready = Promise.withResolvers<void>();
  // Whoever does not wait for it learns of the failure from the next read.
  ready.promise.catch(() => {});
  return ready;
}
