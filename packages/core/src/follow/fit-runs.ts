import type { StoredEvent } from "../rules/event.ts";
import { utf8Bytes } from "../rules/json-text.ts";
import { eventBytes } from "../rules/page.ts";
import type { RunRecord } from "../rules/run.ts";
import { fitSlice } from "./slice.ts";

/** The most bytes of the runs that one page of a list holds, unless its first run alone has more. */
export const LIST_PAGE_BYTES = 262_144;

/** The bytes of a run's metadata and of its last event, as far as that is known. */
export function weighRun(
  { runId, metadata }: RunRecord,
  last: ReadonlyMap<string, StoredEvent>,
): number {
  const event = last.get(runId);
  return utf8Bytes(metadata) + (event === undefined ? 0 : eventBytes(utf8Bytes(event.payload)));
}

/** The first runs that fit in one page of a list. Of at least one run, it returns at least one. */
export function fitRuns(
  runs: readonly RunRecord[],
  last: ReadonlyMap<string, StoredEvent>,
): readonly RunRecord[] {
  return fitSlice(runs, 0, (run) => weighRun(run, last), LIST_PAGE_BYTES);
}
