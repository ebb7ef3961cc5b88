import type { StoredEvent } from "../rules/event.ts";
import { utf8Bytes } from "../rules/json-text.ts";
import { eventBytes } from "../rules/page.ts";
import type { RunRecord } from "../rules/run.ts";
import { fitSlice } from "./slice.ts";

/** The most bytes of the runs that one page of a feed holds, unless its first run alone has more. */
export const FEED_PAGE_BYTES = 262_144;

/**
 * The first runs that fit in one page of a feed, by the bytes of their metadata and of their last events, as far as these are known. Of
 * at least one run, it returns at least one.
 */
export function fitRuns(
  runs: readonly RunRecord[],
  last: ReadonlyMap<string, StoredEvent>,
): readonly RunRecord[] {
  return fitSlice(
    runs,
    0,
    ({ runId, metadata }) => {
      const event = last.get(runId);
      return utf8Bytes(metadata) + (event === undefined ? 0 : eventBytes(utf8Bytes(event.payload)));
    },
    FEED_PAGE_BYTES,
  );
}
