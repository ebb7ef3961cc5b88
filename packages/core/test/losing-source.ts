import type { FollowerSource } from "../src/follow/follower.ts";
import type { StoredEvent } from "../src/rules/event.ts";
import { utf8Bytes } from "../src/rules/json-text.ts";
import { createPageCut, type ReadQuery, type ReadResult } from "../src/rules/page.ts";
import { createDeferred } from "./deferred.ts";
import { runRecord, storedEvent } from "./run-record.ts";

/** One run whose log may lose its end, as after a failover. Each event has a time that no other event ever had. */
export interface LosingSource extends FollowerSource {
  readonly log: readonly StoredEvent[];
  append(count: number): void;
  /** Loses all events after this sequence. */
  lose(sequence: number): void;
  notify(): void;
  /** The number of reads that wait for their answer. */
  waiting(): number;
  /** Answers the oldest read, with the log as it was when the read began. */
  answer(): void;
}

export function createLosingSource(): LosingSource {
  let log: readonly StoredEvent[] = [];
  let lastMs = 1_000;
  const listeners = new Set<() => void>();
  const answers: (() => void)[] = [];

  function resultOf({ since, limit, maxBytes, withTime }: ReadQuery): ReadResult {
    const belongs = createPageCut(limit, maxBytes);
    const rest = log.slice(since);
    const cut = rest.findIndex(({ payload }) => !belongs(utf8Bytes(payload)));
    const updatedAtMs = log.at(-1)?.createdAtMs ?? 1_000;
    const run = runRecord({ runStatus: "running", lastSequence: log.length, updatedAtMs });
    const events = cut === -1 ? rest : rest.slice(0, cut);
    const page = { run, events };
    if (withTime !== true) return page;
    return { ...page, timeAtSinceMs: timeOf(since) };
  }

  function timeOf(sequence: number): number | null {
    return log[sequence - 1]?.createdAtMs ?? null;
  }

  return {
    get log() {
      return log;
    },
    append(count) {
      const added = Array.from({ length: count }, (_, at) =>
        storedEvent({ sequence: log.length + at + 1, createdAtMs: ++lastMs }),
      );
      log = [...log, ...added];
    },
    lose(sequence) {
      log = log.slice(0, sequence);
    },
    notify: () => listeners.forEach((listener) => listener()),
    waiting: () => answers.length,
    answer: () => answers.shift()?.(),
    read(query) {
      const { promise, resolve } = createDeferred<ReadResult | null>();
      const result = resultOf(query);
      answers.push(() => resolve(result));
      return promise;
    },
    subscribe(_runId, listener) {
      listeners.add(listener);
      return { ready: Promise.resolve(), stop: () => void listeners.delete(listener) };
    },
  };
}
