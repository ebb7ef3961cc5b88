import type { ListPage, ListReader } from "../follow/list-reader.ts";
import type { WatchScope } from "../follow/watched-list.ts";
import type { Watches } from "../follow/watches.ts";
import type { StoredEvent } from "../rules/event.ts";
import { checkOptions, checkOwnerId } from "../rules/owner.ts";
import type { RunRecord } from "../rules/run.ts";
import type { ListedRuns, RunList } from "../rules/run-list.ts";
import { snapshotOf } from "../wire/run-values.ts";
import { checkTopic } from "../rules/short-text.ts";
import { nextTurn } from "../time/clock.ts";
import { abortable, heldOpen } from "../time/held.ts";
import type { ReadListOptions, WatchOptions } from "./run-log.ts";

/**
 * Reads a whole list once. Its version is that of its first page: each run is as it was then, or newer.
 * @see `RunLog.readList`
 */
export async function readList(watches: Watches, options: ReadListOptions): Promise<ListedRuns> {
  const { have = null, last: withLast = false, waits = false, signal } = options;
  const reader = watches.open(scopeOf(options), { have, withLast });
  try {
    let page = await abortable(reader.next(), signal);
    if (page.begins === "same") {
      if (!waits) return { isSame: true, version: page.version };
      await abortable(reader.next(), signal);
      reader.startOver();
      page = await abortable(reader.next(), signal);
    }
    return await collect(reader, page, signal);
  } finally {
    reader.leave();
  }
}

async function collect(
  reader: ListReader,
  first: ListPage,
  signal: AbortSignal | undefined,
): Promise<ListedRuns> {
  const runs = new Map<string, RunRecord>();
  const last = new Map<string, StoredEvent>();
  // A run that was created since is not in the list of this version: if it is removed, the list has this version again.
  const newest = first.runs[0]?.run.ordinal ?? Number.POSITIVE_INFINITY;
  for (let page = first; ; page = await abortable(reader.next(), signal)) {
    for (const { run, last: event } of page.runs) {
      if (run.ordinal > newest) continue;
      runs.set(run.runId, run);
      if (event !== undefined) last.set(run.runId, event);
    }
    if (!page.isWhole) {
      // All readers of a watch begin with the same look, and their pages are in memory: without a pause they would all be made in one turn.
      await nextTurn();
      continue;
    }
    const { version } = first;
    return { isSame: false, runs: [...runs.values()], last, version, more: page.more };
  }
}

/**
 * Follows a list, and folds its pages.
 * @see `RunEvents.watch`
 */
export async function* watchList(watches: Watches, options: WatchOptions): AsyncGenerator<RunList> {
  const { signal } = options;
  signal?.throwIfAborted();
  const reader = watches.open(scopeOf(options), { have: null, withLast: false });
  const runs = new Map<string, Pick<RunRecord, "ordinal"> & { readonly run: RunList["runs"][0] }>();
  try {
    for (;;) {
      const page = await heldOpen(reader.next(), signal);
      signal?.throwIfAborted();
      for (const runId of page.gone) runs.delete(runId);
      for (const { run } of page.runs)
        runs.set(run.runId, { ordinal: run.ordinal, run: snapshotOf(run) });
      if (!page.isWhole) continue;
      const newestFirst = [...runs.values()].toSorted((a, b) => b.ordinal - a.ordinal);
      yield { runs: newestFirst.map(({ run }) => run), more: page.more };
    }
  } finally {
    reader.leave();
  }
}

/** @throws RunEventsError `invalid_request` */
function scopeOf(options: Pick<WatchOptions, "ownerId" | "topic">): WatchScope {
  checkOptions(options, "{ ownerId }");
  checkOwnerId(options.ownerId);
  return { ownerId: options.ownerId, topic: checkTopic(options.topic) };
}
