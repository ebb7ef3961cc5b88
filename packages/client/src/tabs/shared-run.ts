import { followInTabs, type SharedRunOptions } from "./follow-in-tabs.ts";
import { createRunCell, type RunCell } from "./run-cell.ts";

/** How long a run is still followed after its last view has unsubscribed, in milliseconds. A new view often comes at once. */
const LINGER_MS = 1_000;

/** A run that any number of views show over one connection. */
export type SharedRun = Pick<RunCell, "view" | "subscribe">;

const shared = new Map<string, SharedRun>();

/**
 * The run that all views of this page share, if they ask for the same user. It is followed while it has a subscriber, and for one more
 * second. A run that has failed is left at once.
 * @param options where the server is and who asks. Those of the first view decide
 */
export function shareRun(options: SharedRunOptions): SharedRun {
  const { baseUrl, runId, userId, credential } = options;
  // A credential's function is not part of the key, because each render may make a new one.
  const key = JSON.stringify([baseUrl, runId, userId, credential]);
  const known = shared.get(key);
  if (known !== undefined) return known;
  const cell = createRunCell();
  let count = 0;
  let left: AbortController | null = null;
  let lingering: ReturnType<typeof setTimeout> | undefined;

  function leave(): void {
    left?.abort();
    left = null;
    if (shared.get(key) === run) shared.delete(key);
  }

  const run: SharedRun = {
    view: cell.view,
    subscribe(listener) {
      const unsubscribe = cell.subscribe(listener);
      count += 1;
      clearTimeout(lingering);
      if (left === null) {
        left = new AbortController();
        shared.set(key, run);
        // The view shows how it failed.
        followInTabs(options, cell, left.signal).catch(() => {});
      }
      return () => {
        unsubscribe();
        count -= 1;
        if (count > 0) return;
        // The next subscriber may be another user, or the same one after a new sign-in.
        if (cell.connection().state === "failed") leave();
        else lingering = setTimeout(leave, LINGER_MS);
      };
    },
  };
  shared.set(key, run);
  // A render that React discards never subscribes.
  lingering = setTimeout(leave, LINGER_MS);
  return run;
}
