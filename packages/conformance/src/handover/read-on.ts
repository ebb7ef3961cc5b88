import { isTerminal } from "@tm/run-events-core";
import type { StoredEvent } from "@tm/run-events-core/store";
import type { KitStore } from "../kit-store.ts";
import type { Clock } from "@tm/run-events-core/wire";
import { assert } from "../assert.ts";
import { readRun } from "../read-log.ts";

/** The interval of reads without a notification, in milliseconds of its clock. */
const RECHECK_MS = 5_000;

/** Options for reading on. */
export interface ReadOnOptions {
  readonly since: number;
  /** The most events of a page. */
  readonly limit: number;
  /** Whether it reads only where the head shows more events. */
  readonly peeks: boolean;
  readonly clock: Clock;
  /** Asked before each wait: whether to give up. */
  readonly isOver: () => boolean;
}

/**
 * The least that a right reader does: subscribes, then reads, then waits for a notification, then reads again. It can follow any
 * store that keeps the contract.
 */
export async function* readOn(
  store: KitStore,
  runId: string,
  { since, limit, peeks, clock, isOver }: ReadOnOptions,
): AsyncGenerator<StoredEvent, void, undefined> {
  let notify = (): void => {};
  const subscription = store.subscribe(runId, () => notify());
  const stopRecheck = clock.every(RECHECK_MS, () => notify());
  try {
    await subscription.ready;
    for (let cursor = since; ;) {
      // Armed before the read, so that a notification between the read and the wait ends the wait at once.
      const notified = new Promise<void>((resolve) => (notify = resolve));
      let head = peeks ? await store.getRun(runId) : null;
      if (head === null || head.lastSequence > cursor) {
        const page = await readRun(store, runId, { since: cursor, limit });
        assert(
          page.events.length > 0 || page.run.lastSequence <= cursor,
          `a page after ${cursor} of ${page.run.lastSequence} is not empty`,
        );
        yield* page.events;
        cursor += page.events.length;
        head = page.run;
        if (cursor < head.lastSequence) continue;
      }
      if (isTerminal(head.runStatus) || isOver()) return;
      await notified;
    }
  } finally {
    stopRecheck();
    subscription.stop();
  }
}
