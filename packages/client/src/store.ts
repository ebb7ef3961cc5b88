import { type Reducer, RunFold } from "./store/run-fold.ts";
import { RunStore } from "./store/run-store.ts";
import type { FoldOptions, RunOptions, RunView, Store } from "./store/run-view.ts";
import { RunsStore } from "./store/runs-store.ts";
import type { RunsOptions, RunsView } from "./store/runs-view.ts";
import type { EventMap } from "./typed/event-map.ts";

export type { Reducer } from "./store/run-fold.ts";
export type { FoldOptions, InitialRun, RunOptions, RunView, Store } from "./store/run-view.ts";
export type { ListedRun } from "./feed/feed-list.ts";
export type { InitialRuns, RunsOptions, RunsView } from "./store/runs-view.ts";

/**
 * Creates a store of a run, for a framework or for none. It follows the run while it has a subscriber, and for one more second. All stores
 * of a page share one connection.
 * @param runId the run; `null` while there is no run yet: the store then asks for nothing
 * @param options where the server is, who asks, and where to begin
 * @throws TypeError if the events of `initial` have a gap
 *
 * @example
 * const run = createRunStore(runId, { tail: 50 });
 * const unsubscribe = run.subscribe(() => show(run.getSnapshot().events));
 */
export function createRunStore<M extends EventMap = EventMap>(
  runId: string | null,
  options: RunOptions<M> = {},
): Store<RunView<M>> {
  return new RunStore<M>(runId, options);
}

/**
 * Creates a store of a value that a reducer makes of a run's events. Each event is folded once, in order from the first one, or from the
 * first one of `initial` in the options.
 * @param initial the value before the first event
 * @param options as those of {@link createRunStore}
 * @throws TypeError if the events of `options.initial` have a gap
 *
 * @example
 * const words = createRunFold(runId, 0, (count, event) => count + (event.eventType === "TOKEN" ? 1 : 0));
 * const unsubscribe = words.subscribe(() => show(words.getSnapshot()));
 */
export function createRunFold<Value, M extends EventMap = EventMap>(
  runId: string | null,
  initial: Value,
  reducer: Reducer<Value, M>,
  options: FoldOptions<M> = {},
): Store<Value> {
  return new RunFold(new RunStore<M>(runId, { ...options, tail: undefined }), initial, reducer);
}

/**
 * Creates a store of the list of the user's runs. It follows them while it has a subscriber, and for one more second. It shares the
 * connection of {@link createRunStore}.
 * @param options which runs, where the server is, and who asks
 * @see clause W48 in `WIRE.md` of `@tm/run-events-http`
 *
 * @example
 * const list = createRunsStore({ status: "live", last: true });
 * const unsubscribe = list.subscribe(() => show(list.getSnapshot().runs));
 */
export function createRunsStore(options: RunsOptions = {}): Store<RunsView> {
  return new RunsStore(options);
}
