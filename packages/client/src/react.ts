"use client";

import { useInsertionEffect, useMemo, useSyncExternalStore } from "react";
import { type Reducer, RunFold } from "./store/run-fold.ts";
import { RunStore, viewKey } from "./store/run-store.ts";
import type { FoldOptions, RunOptions, RunView } from "./store/run-view.ts";
import { runsKey, RunsStore } from "./store/runs-store.ts";
import type { RunsOptions, RunsView } from "./store/runs-view.ts";
import type { EventMap } from "./typed/event-map.ts";

export type { Reducer } from "./store/run-fold.ts";
export type { FoldOptions, InitialRun, RunOptions, RunView } from "./store/run-view.ts";
export type { ListedRun } from "./feed/feed-list.ts";
export type { InitialRuns, RunsOptions, RunsView } from "./store/runs-view.ts";

/**
 * Follows a run while a component shows it. All components of a page share one connection, and each gets every event once. If `runId`, `tail`,
 * the user or the server changes, the hook starts over.
 * @param runId the run; `null` while there is no run yet: then the hook sends no request
 * @param options where the server is, who asks, and where to begin
 * @returns the newest view. On a server, and before the first answer, it has the events of `initial`, or none
 * @throws TypeError if the events of `initial` have a gap, or if `basePath` is not a path
 *
 * @example
 * const { events, hasEarlier, loadEarlier, cancel } = useRun(runId, { tail: 50 });
 */
export function useRun<M extends EventMap = EventMap>(
  runId: string | null,
  options: RunOptions<M> = {},
): RunView<M> {
  const { subscribe, getSnapshot, getFirstSnapshot } = useStore(runId, options);
  return useSyncExternalStore(subscribe, getSnapshot, getFirstSnapshot);
}

/**
 * Folds a run's events into one value while a component shows it. Each event is folded once, in order from the first one, or from the
 * first one of `initial` in the options. A component renders only if the value has changed, and once a frame at most.
 * @param initial the value before the first event. The first one for a run counts
 * @param reducer may be another function in each render: events that are folded already stay so
 * @param options as those of {@link useRun}, without `tail`
 * @returns the value after all events so far
 * @throws TypeError if the events of `options.initial` have a gap
 *
 * @example
 * const text = useRunFold(runId, "", (text, event) => (event.eventType === "TOKEN" ? text + event.payload : text));
 */
export function useRunFold<Value, M extends EventMap = EventMap>(
  runId: string | null,
  initial: Value,
  reducer: Reducer<Value, M>,
  options: FoldOptions<M> = {},
): Value {
  const store = useStore(runId, { ...options, tail: undefined });
  const fold = useMemo(() => new RunFold(store, initial, reducer), [store]);
  useInsertionEffect(() => {
    fold.reducer = reducer;
  });
  return useSyncExternalStore(fold.subscribe, fold.getSnapshot, fold.getFirstSnapshot);
}

/**
 * Follows the list of the user's runs while a component shows it, over the connection of {@link useRun}. A component renders once a frame at
 * most, and only if its list has changed. A run that has not changed stays the same object.
 * @param options which runs, where the server is, and who asks. If the status, the topic, the user or the server changes, the hook begins
 * again
 * @returns the newest view. On a server, and before the first answer, it has the runs of `initial`, or none
 * @see clause W48 in `WIRE.md` of `@tm/run-events-http`
 *
 * @example
 * const { runs, hasMore, loadMore } = useRuns({ status: "live", last: true });
 */
export function useRuns(options: RunsOptions = {}): RunsView {
  const store = useMemo(() => new RunsStore(options), [runsKey(options)]);
  return useSyncExternalStore(store.subscribe, store.getSnapshot, store.getFirstSnapshot);
}

function useStore<M extends EventMap>(runId: string | null, options: RunOptions<M>): RunStore<M> {
  return useMemo(() => new RunStore(runId, options), [viewKey(runId, options)]);
}
