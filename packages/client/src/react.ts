"use client";

import { useSyncExternalStore } from "react";
import type { EventMap, TypedEvent } from "./typed/event-map.ts";
import { emptyView } from "./tabs/run-cell.ts";
import type { RunOptions } from "./tabs/follow-in-tabs.ts";
import { shareRun } from "./tabs/shared-run.ts";
import type { ConnectionState } from "./follow/connection-state.ts";

export type { RunOptions } from "./tabs/follow-in-tabs.ts";

/** A run as a component shows it. Each change gives a new object; the parts that did not change stay the same objects. */
export interface RunView<M extends EventMap = EventMap> extends ConnectionState {
  /** All events so far, in order of their sequence, from 1. */
  readonly events: readonly TypedEvent<M>[];
}

/**
 * Follows a run while a component shows it. All components and tabs of an origin that show the same run share one connection. Each
 * of them sees every event once.
 * @param options where the server is and who asks. The first component that shows a run to a user decides for all others that do.
 * Set `userId` if users can change without a reload of the page
 * @returns the newest view; on a server, and before the first answer, one without events
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
