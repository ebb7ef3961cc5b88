import { shareKey } from "../page/page-connection.ts";
import type { SharedRunOptions } from "../page/shared-run.ts";
import type { EventMap } from "../typed/event-map.ts";
import type { RunOptions } from "./run-view.ts";

/** Options with the same key are for the same view. Schemas, `initial` and functions are not part of it. */
export function viewKey(runId: string | null, options: RunOptions): string {
  return JSON.stringify([shareKey(options, runId), options.tail]);
}

/** The part of a view's options that all views of its run share. */
export function sharedOptions<M extends EventMap>(
  runId: string,
  { tail: _tail, schemas: _schemas, initial: _initial, ...options }: RunOptions<M>,
): SharedRunOptions {
  return { ...options, runId };
}
