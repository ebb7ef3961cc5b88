import type { RunEvent } from "@tm/run-events-core";

/** Picks the events that continue the sequence after `since`, even if the server repeats or omits events. */
export function contiguous(events: readonly RunEvent[], since: number): RunEvent[] {
  let last = since;
  return events.filter(({ sequence }) => sequence === last + 1 && (last = sequence));
}
