import type { RunSnapshot } from "@tm/run-events-core";

/**
 * A list of runs after its beginning was read again. The runs that were read come first; after the last of them the list stays as it was.
 * @param loaded newest first, as `newest`
 * @param isWhole whether no run comes after those that were read
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
  // A list without any of the runs that were read is out of date.
  const rest = at === -1 ? [] : loaded.slice(at + 1);
  return [...newest, ...rest.filter(({ runId }) => !read.has(runId))];
}
