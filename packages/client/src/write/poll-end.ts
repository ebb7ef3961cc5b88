import type { RunSnapshot } from "@tm/run-events-core";
import { type EndWatch, type EndWatcher, watchEnd } from "@tm/run-events-core/wire";
import { pause } from "../http/pause.ts";
import { retrying } from "../http/retrying.ts";
import { pageCall, WAIT_SECONDS } from "../http/run-calls.ts";
import type { Server } from "../http/server.ts";
import { holdingClock } from "./holding-clock.ts";

/** For how long the writer has to be quiet, in milliseconds. While it is not, its requests tell of the end. */
const QUIET_MS = 50;
/** From one poll to the next at least, in milliseconds: each of the writer's own events ends one. */
const POLL_MS = 500;
/** For how long the run is not looked at after a refusal that says nothing of it, in milliseconds. */
const REST_MS = 30_000;

/** A writer that wants to know when another program ends its run. */
export interface EndPolls extends EndWatcher {
  /** The last sequence that the writer knows of. */
  readonly known: () => number;
  /** Ends the poll under way. */
  readonly signal: AbortSignal;
}

/**
 * Watches for the end of a run by polls that the server holds while its writer is quiet.
 * @param polls its `onEnd` is also called with why the run cannot be read, though it may be there
 * @see W13, W17
 */
export function pollForEnd(
  server: Pick<Server, "askJson">,
  runId: string,
  { known, signal, ...watcher }: EndPolls,
): EndWatch {
  let seen = 0;
  let nextAt = 0;
  const watch = watchEnd({
    ...watcher,
    clock: holdingClock,
    quietMs: QUIET_MS,
    async look() {
      try {
        await pause(Math.max(0, nextAt - performance.now()), signal);
        nextAt = performance.now() + POLL_MS;
        const since = Math.max(seen, known());
        const call = pageCall(runId, { since, limit: 1, wait: WAIT_SECONDS });
        const run = await retrying(() => server.askJson<RunSnapshot>(call, signal), { signal });
        // Whatever the others have written: a page says a terminal status only if it reaches the end. @see W16
        seen = run.lastSequence;
        return run;
      } catch (error) {
        signal.throwIfAborted();
        watcher.onEnd(error);
        await pause(REST_MS, signal);
        throw error;
      } finally {
        watch.notify();
      }
    },
  });
  watch.notify();
  return watch;
}
