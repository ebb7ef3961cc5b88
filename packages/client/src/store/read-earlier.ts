import type { RunEvent } from "@tm/run-events-core";
import { CALL_PATIENCE_MS } from "../http/retrying.ts";
import type { SharedRun } from "../page/shared-run.ts";

/**
 * Reads the events after `since` that come before the events of a view.
 * @param range.next the view's first event, if it has one: the earlier events must be of the same log
 * @param check checks the payload of each event
 * @throws RunEventsError `history_changed`, or any other error that remains after 10 s of tries
 */
export async function readEarlier(
  shared: SharedRun,
  range: { readonly since: number; readonly until: number; readonly next: RunEvent | undefined },
  check: (event: RunEvent) => Promise<RunEvent>,
): Promise<readonly RunEvent[]> {
  const earlier: RunEvent[] = [];
  for await (const events of shared.readRange(range, { patienceMs: CALL_PATIENCE_MS })) {
    for (const event of events) earlier.push(await check(event));
  }
  return earlier;
}
