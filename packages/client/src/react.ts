"use client";

import { useSyncExternalStore } from "react";
import type { EventMap, TypedEvent } from "./typed/event-map.ts";
import { emptyView } from "./tabs/run-cell.ts";
import type { SharedRunOptions } from "./tabs/follow-in-tabs.ts";
import { shareRun } from "./tabs/shared-run.ts";
import type { ConnectionState } from "./follow/connection-state.ts";

/** A run as a component shows it. Each change is another object; what has not changed in it is the same. */
export interface RunView<M extends EventMap = EventMap> extends ConnectionState {
  /** All events so far, in order, from the first. */
  readonly events: readonly TypedEvent<M>[];
}

/** Whom a run is shown to, and where the server is. */
export type RunOptions = Omit<SharedRunOptions, "runId">;

/**
 * Follows a run for as long as a component shows it. However many components and tabs of a page's origin show the same run, there is
 * one connection, and each sees every event once.
 * @param options of the first component that shows the run to a user, which count for all that show it to the same. Where users
 * change without the page being loaded anew, `userId` says who it is
 *
 * @example
 * const { events, runStatus } = useRun(runId);
 */
export function useRun<M extends EventMap = EventMap>(
  runId: string,
  options: RunOptions = {},
): RunView<M> {
  const { subscribe, view } = shareRun({ ...options, runId });
  return useSyncExternalStore(subscribe, view, emptyView) as RunView<M>;
}
