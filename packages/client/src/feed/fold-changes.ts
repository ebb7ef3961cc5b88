import { isTerminal, type RunEvent, type RunSnapshot } from "@tm/run-events-core";
import type { FeedWant } from "./feed-want.ts";

/** What has changed in an owner's list: states, not events. */
export interface FeedChanges {
  /** Whether the list begins again: the runs from before are no longer in it, unless they come again. */
  readonly isReset: boolean;
  /** Each as it is now, newest first in a list that begins; with its last event if that was asked for and there is one. */
  readonly runs: readonly { readonly run: RunSnapshot; readonly last?: RunEvent }[];
  /** The ids of runs that were removed, or have left the list. */
  readonly gone: readonly string[];
  /** The version of the list after these changes; `null` if the server has not sent one yet. */
  readonly version: string | null;
  /** Whether there are older live runs than those of the list. */
  readonly more: boolean;
  /** Whether more changes follow at once. */
  readonly hasMore: boolean;
}

/** A run of a list, with its last event. It stays the same object while nothing in it has changed. */
export interface ListedRun extends RunSnapshot {
  /** The run's last event; `null` if it was not asked for, or is not known. */
  readonly last: RunEvent | null;
}

/** The runs that a feed has sent, each as it was last. */
export interface FeedRuns {
  /** By id. The runs that ended last are the last of those that have ended. */
  readonly runs: ReadonlyMap<string, ListedRun>;
  /** Those that came since the feed began to start over; `null` when it has sent them all. */
  readonly next: ReadonlyMap<string, ListedRun> | null;
  /** The feed of which `runs` has every live run; `null` before they have all come. */
  readonly feed: FeedWant | null;
  /** How often the feed has started over. */
  readonly epoch: number;
  readonly version: string | null;
  /** Whether there are older live runs. */
  readonly more: boolean;
}

/** How many runs that have ended a feed keeps: those that ended last. */
const MOST_ENDED = 200;

/** The members that differ between two states of a run, or between two runs of the same id. */
const MAY_CHANGE = [
  "createdAt",
  "lastSequence",
  "runStatus",
  "currentPhase",
  "updatedAt",
] as const satisfies readonly (keyof RunSnapshot)[];

/** Before the first change. */
export const NO_RUNS: FeedRuns = {
  runs: new Map(),
  next: null,
  feed: null,
  epoch: 0,
  version: null,
  more: false,
};

/**
 * The runs after these changes. While a feed starts over, the runs from before stay, until all have come that take their place.
 * @param feed what was asked for
 * @see clause W48 in `WIRE.md` of `@tm/run-events-http`
 */
export function foldChanges(list: FeedRuns, changes: FeedChanges, feed: FeedWant): FeedRuns {
  const runs = new Map(list.runs);
  const { isReset, version, more, hasMore } = changes;
  const begun = isReset ? [] : list.next;
  const next = begun && new Map(begun);
  for (const runId of changes.gone) {
    runs.delete(runId);
    next?.delete(runId);
  }
  // Those that came last are the newest.
  for (const { run, last = null } of isReset ? changes.runs.toReversed() : changes.runs) {
    const { runId, runStatus } = run;
    const listed = keepSame(runs.get(runId), run, last);
    if (isTerminal(runStatus)) {
      runs.delete(runId);
      next?.delete(runId);
    }
    runs.set(runId, listed);
    next?.set(runId, listed);
  }
  if (next === null) return { ...list, runs: boundEnded(runs), version, more };
  if (hasMore) return { ...list, runs, next, version, more };
  const epoch = list.epoch + 1;
  return { runs: boundEnded(next), next: null, feed, epoch, version, more };
}

/** Two changes as one. A run is in one of its lists. */
export function mergeChanges(first: FeedChanges, second: FeedChanges): FeedChanges {
  if (second.isReset) return second;
  const { isReset } = first;
  const changed = new Set([...second.runs.map(({ run }) => run.runId), ...second.gone]);
  return {
    ...second,
    isReset,
    runs: [...first.runs.filter(({ run }) => !changed.has(run.runId)), ...second.runs],
    gone: [...first.gone.filter((runId) => !changed.has(runId)), ...second.gone],
  };
}

function boundEnded(runs: Map<string, ListedRun>): ReadonlyMap<string, ListedRun> {
  const ended = [...runs.values()].filter(({ runStatus }) => isTerminal(runStatus));
  for (const { runId } of ended.slice(0, Math.max(0, ended.length - MOST_ENDED)))
    runs.delete(runId);
  return runs;
}

/** The run as it is now: the known one, if nothing in it has changed. */
export function keepSame(
  known: ListedRun | undefined,
  run: RunSnapshot,
  last: RunEvent | null,
): ListedRun {
  const isSame =
    known !== undefined &&
    MAY_CHANGE.every((name) => known[name] === run[name]) &&
    known.lease?.expiresAt === run.lease?.expiresAt &&
    known.lease?.worker === run.lease?.worker &&
    known.last?.sequence === last?.sequence;
  return isSame ? known : { ...run, last };
}
