import type { StoredEvent } from "../rules/event.ts";
import { utf8Bytes } from "../rules/json-text.ts";
import { eventBytes } from "../rules/page.ts";
import type { RunRecord } from "../rules/run.ts";
import { fitSlice } from "./slice.ts";

/** A bound of what a run's frame takes besides its metadata and its last event, in bytes. */
const RUN_ENVELOPE_BYTES = 512;

/** The bytes of a run, with its metadata and its last event, as far as those are known. */
export function weighRun(
  { runId, metadata }: RunRecord,
  last: ReadonlyMap<string, StoredEvent>,
): number {
  const event = last.get(runId);
  const eventSize = event === undefined ? 0 : eventBytes(utf8Bytes(event.payload));
  return RUN_ENVELOPE_BYTES + utf8Bytes(metadata) + eventSize;
}

/** The first runs that fit in one page of a list, which is a slice of a stream. Of at least one run, it returns at least one. */
export function fitRuns(
  runs: readonly RunRecord[],
  last: ReadonlyMap<string, StoredEvent>,
): readonly RunRecord[] {
  return fitSlice(runs, 0, (run) => weighRun(run, last));
}
