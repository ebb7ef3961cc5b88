import { RunEventsError } from "../rules/errors.ts";
import type { ReadQuery, ReadResult, RunEventStore } from "../store/store.ts";
import { eachAtMost } from "../time/each-at-most.ts";
import type { Sent } from "./batcher.ts";

const READS_AT_ONCE = 8;

/** Sends one group of reads. If that fails, each is sent once more by itself, so that a failing read does not fail the others. */
export async function sendReads(
  store: Pick<RunEventStore, "read">,
  group: readonly Sent<ReadQuery, ReadResult | null>[],
): Promise<void> {
  try {
    const results = await store.read(group.map(({ item }) => item));
    results.forEach((result, at) => group[at]?.settle(result));
  } catch (error) {
    if (!(error instanceof RunEventsError) || group.length === 1) throw error;
    await eachAtMost(group, READS_AT_ONCE, (one) =>
      sendReads(store, [one]).catch((alone: Error) => one.settle(alone)),
    );
  }
}
