import type { FollowerSource } from "../src/follow/follower.ts";
import type { ReadQuery, ReadResult } from "../src/rules/page.ts";
import { readAfter } from "../src/log/read-after.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import type { RunEventStore } from "../src/store/store.ts";
import { createDeferred, type Deferred } from "./deferred.ts";
import { createRunWrites, type RunWrites } from "./run-writes.ts";

/** A read that waits for the test. */
interface ScriptedRead {
  readonly query: ReadQuery;
  /** Answers with the log as it was when the read began. */
  answer(): void;
  /** Answers with the log as it is. */
  answerLate(): void;
  reject(error: unknown): void;
}

/** A memory store whose reads and notifications wait for the test. */
export interface ScriptedSource extends FollowerSource {
  readonly store: RunEventStore;
  readonly writes: RunWrites;
  /** Unanswered, the oldest first. */
  readonly reads: readonly ScriptedRead[];
  /** Answers all that are unanswered now. */
  answerAll(): void;
  /** Notifications that the store owes; a test may deliver one now, later, twice or never. */
  readonly notifyCount: (() => void)[];
  /** The subscriptions that are not ready yet. */
  readonly readies: Deferred<void>[];
  /** The number of subscriptions that are not stopped. */
  subscriptions(): number;
}

/** Wraps a new store. @param now its clock, the host's by default */
export function createScriptedSource(now?: () => number): ScriptedSource {
  const store = createMemoryStore(now === undefined ? {} : { now });
  const reads: ScriptedRead[] = [];
  const notifyCount: (() => void)[] = [];
  const readies: Deferred<void>[] = [];
  let subscriptions = 0;

  const resultOf = (query: ReadQuery): Promise<ReadResult | null> =>
    readAfter(async (asked) => (await store.read([asked]))[0] ?? null, query);

  return {
    store,
    writes: createRunWrites(store),
    reads,
    notifyCount,
    readies,
    subscriptions: () => subscriptions,
    answerAll: () => reads.slice().forEach((read) => read.answer()),
    read(query) {
      const deferred = createDeferred<ReadResult | null>();
      const early = resultOf(query);
      const settle = (how: () => void): void => {
        reads.splice(reads.indexOf(read), 1);
        how();
      };
      const read: ScriptedRead = {
        query,
        answer: () => settle(() => void early.then(deferred.resolve)),
        answerLate: () => settle(() => void resultOf(query).then(deferred.resolve)),
        reject: (error) => settle(() => deferred.reject(error)),
      };
      reads.push(read);
      return deferred.promise;
    },
    subscribe(name, onNotification) {
      const ready = createDeferred<void>();
      readies.push(ready);
      subscriptions += 1;
      let stopped = false;
      const inner = store.subscribe(name, () => {
        notifyCount.push(() => {
          if (!stopped) onNotification();
        });
      });
      return {
        ready: ready.promise,
        stop() {
          if (stopped) return;
          stopped = true;
          subscriptions -= 1;
          inner.stop();
        },
      };
    },
  };
}
