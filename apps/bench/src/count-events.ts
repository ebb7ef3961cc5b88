import type { RunEvents } from "@tm/run-events-core";
import { OWNER } from "./run-ids.ts";

/** The number of events that these runs have. */
export async function countEvents(runs: RunEvents, runIds: readonly string[]): Promise<number> {
  const found = await Promise.all(runIds.map((runId) => runs.get(runId, { ownerId: OWNER })));
  return found.reduce((sum, { lastSequence }) => sum + lastSequence, 0);
}

/** @throws unless a log holds as many events as were acknowledged */
export function checkCount(events: number, acknowledged: number): void {
  if (events !== acknowledged)
    throw new Error(`Of ${acknowledged} acknowledged events the log holds ${events}.`);
}
