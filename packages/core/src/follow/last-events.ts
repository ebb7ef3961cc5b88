import type { StoredEvent } from "../rules/event.ts";
import type { ReadQuery, ReadResult } from "../rules/page.ts";
import type { RunRecord } from "../rules/run.ts";

/**
 * Reads the last event of each run, as of its record.
 * @returns by the run's id, without the runs that have none or were removed meanwhile
 */
export async function readLastEvents(
  read: (query: ReadQuery) => Promise<ReadResult | null>,
  runs: readonly RunRecord[],
): Promise<ReadonlyMap<string, StoredEvent>> {
  const last = new Map<string, StoredEvent>();
  await Promise.all(
    runs.map(async ({ runId, ownerId, lastSequence }) => {
      if (lastSequence === 0) return;
      const since = lastSequence - 1;
      const [event] = (await read({ runId, ownerId, since, limit: 1, maxBytes: 1 }))?.events ?? [];
      if (event !== undefined) last.set(runId, event);
    }),
  );
  return last;
}
