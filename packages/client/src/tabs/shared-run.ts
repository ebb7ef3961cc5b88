import { followInTabs, type SharedRunOptions } from "./follow-in-tabs.ts";
import { createRunCell, type RunCell } from "./run-cell.ts";

/** How long a run that nobody looks at any longer is followed on, in milliseconds: views come and go. */
const LINGER_MS = 1_000;

/** A run that any number of views look at over one connection. */
export type SharedRun = Pick<RunCell, "view" | "subscribe">;

const shared = new Map<string, SharedRun>();

/**
 * The run as all views of this page share it that ask for the same user. It is followed while there is a subscriber, and for a second
 * longer, unless it has failed.
 * @param options those of the first view count
 */
export function shareRun(options: SharedRunOptions): SharedRun {
  const { baseUrl, runId, userId, credential } = options;
  // A credential's function is not part of it: it may be another one at each render.
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
        // How it failed is in the view.
        followInTabs(options, cell, left.signal).catch(() => {});
      }
      return () => {
        unsubscribe();
        count -= 1;
        if (count > 0) return;
        // Whoever comes next may be somebody else, or signed in again.
        if (cell.connection().state === "failed") leave();
        else lingering = setTimeout(leave, LINGER_MS);
      };
    },
  };
  shared.set(key, run);
  // A render that comes to nothing never subscribes.
  lingering = setTimeout(leave, LINGER_MS);
  return run;
}
