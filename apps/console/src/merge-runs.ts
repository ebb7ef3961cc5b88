import type { RunSnapshot } from "@tm/run-events-core";

/**
 * A list of runs after its beginning was read again. What was read counts; behind its last run the list goes on as it was.
 * @param loaded newest first, as `newest`
 * @param isWhole whether nothing comes behind what was read
 */
export function mergeRuns(
  loaded: readonly RunSnapshot[],
  newest: readonly RunSnapshot[],
  isWhole: boolean,
): readonly RunSnapshot[] {
  const last = newest.at(-1);
  if (isWhole || last === undefined) return newest;
  const read = new Set(newest.map(({ runId }) => runId));
  const at = loaded.findIndex(({ runId }) => runId === last.runId);
  // A list that has nothing in common with what was read has been overtaken.
  const rest = at === -1 ? [] : loaded.slice(at + 1);
  return [...newest, ...rest.filter(({ runId }) => !read.has(runId))];
}
