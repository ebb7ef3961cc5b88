import type { RunLog } from "../log/run-log.ts";
import { isRefusal, runFinished } from "../rules/errors.ts";
import { isTerminal } from "../rules/lifecycle.ts";
import type { OwnerOption } from "../rules/owner.ts";
import type { RunEventStore, Watch } from "../store/store.ts";

/** A worker that wants to know when somebody else ends its run. */
export interface EndWatcher {
  /** How many appends of the worker have landed. */
  readonly landings: () => number;
  /** Told that the run has ended, or is gone; may be told again, and of an end that is the worker's own. */
  readonly onEnd: (refusal: unknown) => void;
}

/** For how long a worker has to be quiet, behind a bell, before the run is looked at, in milliseconds. */
const QUIET_MS = 25;

/**
 * Watches for the end of a run. Bells ring for the worker's own appends too, so behind one the run is looked at once 25 ms
 * have passed in which none landed: until then its appends tell of the end by themselves. With all bells lost its renewals do.
 * @returns a watch whose `ready` does not reject; what ended the run before then has been told by then
 */
export function watchEnd(
  store: Pick<RunEventStore, "watch">,
  log: Pick<RunLog, "clock" | "getRun">,
  runId: string,
  owner: OwnerOption,
  { landings, onEnd }: EndWatcher,
): Watch {
  let isStopped = false;
  let isLooking = false;
  let stopTimer: (() => void) | null = null;

  function silence(): void {
    stopTimer?.();
    stopTimer = null;
  }

  function ring(): void {
    if (stopTimer !== null || isStopped) return;
    let seen = landings();
    stopTimer = log.clock.every(QUIET_MS, () => {
      const isQuiet = seen === landings();
      seen = landings();
      // A look that is under way may have seen less than this bell rings for.
      if (!isQuiet || isLooking) return;
      silence();
      void look();
    });
  }

  async function look(): Promise<void> {
    isLooking = true;
    try {
      const { runStatus, lastSequence } = await log.getRun(runId, owner);
      if (isTerminal(runStatus)) onEnd(runFinished(runStatus, lastSequence));
    } catch (error) {
      // A store that is away is the renewals' to find out.
      if (isRefusal(error)) onEnd(error);
    }
    isLooking = false;
  }

  const watch = store.watch(runId, ring);
  return {
    // What happened before the watch was ready rang for nobody.
    ready: watch.ready.catch(() => {}).then(look),
    stop() {
      isStopped = true;
      silence();
      watch.stop();
    },
  };
}
