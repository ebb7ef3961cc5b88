import { isTerminal, type RunEvent, type RunSnapshot } from "@tm/run-events-core";
import type { RunChanges } from "@tm/run-events-core/wire";
import type { FeedWant } from "./feed-want.ts";

/** What has changed among an owner's runs, as core's `RunChanges`. */
export interface FeedChanges extends Omit<RunChanges, "cursor"> {
  /** To go on after these changes later, pass it as `since`; `null` if the server has not sent a cursor yet. It is good for an hour. */
  readonly cursor: string | null;
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
  readonly cursor: string | null;
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
  cursor: null,
};

/**
 * The runs after these changes. While a feed starts over, the runs from before stay, until all have come that take their place.
 * @param feed what was asked for
 * @see clause W48 in `WIRE.md` of `@tm/run-events-http`
 */
export function foldChanges(list: FeedRuns, changes: FeedChanges, feed: FeedWant): FeedRuns {
  const runs = new Map(list.runs);
  const begun = changes.isReset ? [] : list.next;
  const next = begun && new Map(begun);
  for (const runId of changes.gone) {
    runs.delete(runId);
    next?.delete(runId);
  }
  for (const { run, last = null } of changes.runs) {
    const { runId, runStatus } = run;
    const listed = keepSame(runs.get(runId), run, last);
    if (isTerminal(runStatus)) {
      runs.delete(runId);
      next?.delete(runId);
    }
    runs.set(runId, listed);
    next?.set(runId, listed);
  }
  const { cursor, hasMore } = changes;
  if (next === null) return { ...list, runs: boundEnded(runs), cursor };
  if (hasMore) return { ...list, runs, next, cursor };
  return { runs: boundEnded(next), next: null, feed, epoch: list.epoch + 1, cursor };
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
