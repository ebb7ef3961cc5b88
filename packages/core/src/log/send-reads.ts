import { RunEventsError } from "../rules/errors.ts";
import type { ReadQuery, ReadResult, RunEventStore } from "../store/store.ts";
import { eachAtMost } from "../time/each-at-most.ts";
import type { Sending } from "./batcher.ts";

const READS_AT_ONCE = 8;

/**
 * Sends one group of reads. If that fails, each is sent once more by itself, so that a failing read does not fail the others.
 * @param settle called with each query's answer, or the store's error
 */
export async function sendReads(
  store: Pick<RunEventStore, "read">,
  group: readonly ReadQuery[],
  settle: Sending<ReadResult | null>["settle"],
): Promise<void> {
  try {
    const results = await store.read(group);
    results.forEach((result, index) => settle(index, result));
  } catch (error) {
    if (!(error instanceof RunEventsError) || group.length === 1) throw error;
    await eachAtMost(group.entries(), READS_AT_ONCE, ([index, query]) =>
      sendReads(store, [query], (_, result) => settle(index, result)).catch((alone: Error) =>
        settle(index, alone),
      ),
    );
  }
}
