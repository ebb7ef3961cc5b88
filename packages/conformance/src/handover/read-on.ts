import { isTerminal } from "@tm/run-events-core";
import type { RunEventStore, StoredEvent } from "@tm/run-events-core/store";
import type { Clock } from "@tm/run-events-core/wire";
import { assert } from "../assert.ts";
import { readRun } from "../read-log.ts";

/** How often it reads without a ring, in milliseconds of its clock. */
const RECHECK_MS = 5_000;

/** How to read on. */
export interface ReadOnOptions {
  readonly since: number;
  /** The most events of a page. */
  readonly limit: number;
  /** Whether it reads only where the head says that there is more. */
  readonly peeks: boolean;
  readonly clock: Clock;
  /** Asked before each wait: whether to give up. */
  readonly isOver: () => boolean;
}

/**
 * The least that a right reader does: subscribes, then reads, then waits for a ring, then reads again. Whoever keeps the
 * contract can be followed by it.
 */
export async function* readOn(
  store: RunEventStore,
  runId: string,
  { since, limit, peeks, clock, isOver }: ReadOnOptions,
): AsyncGenerator<StoredEvent, void, undefined> {
  let ring = (): void => {};
  const watch = store.watch(runId, () => ring());
  const stopRecheck = clock.every(RECHECK_MS, () => ring());
  try {
    await watch.ready;
    for (let cursor = since; ;) {
      // Armed before the look, so that a ring between the look and the wait ends the wait at once.
      const rung = new Promise<void>((resolve) => (ring = resolve));
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
      await rung;
    }
  } finally {
    stopRecheck();
    watch.stop();
  }
}
