import { isTerminal } from "@tm/run-events-core";
import type { ListedRun } from "./feed-list.ts";
import type { RunsFilter } from "../http/queries.ts";

/** Whether a list shows a run. */
export function isPicked(run: ListedRun, { status, topic }: RunsFilter): boolean {
  if (topic !== undefined && run.topic !== topic) return false;
  if (status === undefined) return true;
  return status === "live" ? !isTerminal(run.runStatus) : run.runStatus === status;
}

/** Whether a list shows runs that have ended: the feed alone does not know those that ended before it began. */
export function hasEnded({ status }: RunsFilter): boolean {
  return status === undefined || (status !== "live" && isTerminal(status));
}

/**
 * The runs that a list shows, newest first.
 * @param fed the runs of the feed: the live runs, and some that have ended
 * @param read runs that were read from a list, in its order. A live one that the feed does not have has ended meanwhile, or is gone
 */
export function pickRuns(
  fed: ReadonlyMap<string, ListedRun>,
  read: ReadonlyMap<string, ListedRun>,
  filter: RunsFilter,
): readonly ListedRun[] {
  const ranks = new Map([...read.keys()].map((runId, index) => [runId, index]));
  const ranked: { readonly run: ListedRun; readonly rank: number }[] = [];
  for (const run of fed.values()) {
    // A run that is not in the list that was read is newer, and of such runs the later one.
    const rank = ranks.get(run.runId) ?? -1 - ranked.length;
    if (isPicked(run, filter)) ranked.push({ run, rank });
  }
  for (const run of read.values()) {
    const isKnown = fed.has(run.runId) || !isTerminal(run.runStatus);
    if (!isKnown && isPicked(run, filter)) ranked.push({ run, rank: ranks.get(run.runId) ?? 0 });
  }
  ranked.sort(
    (one, other) => compare(other.run.createdAt, one.run.createdAt) || one.rank - other.rank,
  );
  return ranked.map(({ run }) => run);
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
