import type { RunSnapshot } from "../rules/event.ts";
import type { Clock } from "../time/clock.ts";
import { type EndWatch, type EndWatcher, watchEnd } from "./watch-end.ts";

/** For how long the writer has to be quiet, in milliseconds. Until then, the answers to its requests report the end. */
const QUIET_MS = 50;
/** The least time from one poll to the next, in milliseconds: each of the writer's own events ends a poll. */
const POLL_MS = 500;
/** For how long the run is not polled after a refusal that says nothing about the run, in milliseconds. */
const REST_MS = 30_000;

export interface EndPolls extends EndWatcher {
  readonly clock: Clock;
  /** The last sequence that the writer knows of. */
  readonly known: () => number;
  /** Reads the run once it has an event after `since`, or after a while. Only a final failure rejects it. */
  readonly poll: (since: number) => Promise<Pick<RunSnapshot, "runStatus" | "lastSequence">>;
}

/**
 * Watches for the end of a run by polls that a server holds while its writer is quiet.
 * @param polls its `onEnd` is also called with the reason why the run cannot be read; the run may still exist
 * @see clauses W13 and W17 in `WIRE.md` of `@tm/run-events-http`
 */
export function pollForEnd({ known, poll, ...watcher }: EndPolls): EndWatch {
  const { clock, onEnd } = watcher;
  let seen = 0;
  let stopTimer = (): void => {};

  function pollAfter(ms: number): void {
    stopTimer = clock.every(Math.max(1, ms), () => {
      stopTimer();
      watch.notify();
    });
  }

  const watch = watchEnd({
    ...watcher,
    quietMs: QUIET_MS,
    async check() {
      const nextAtMs = clock.now() + POLL_MS;
      try {
        const run = await poll(Math.max(seen, known()));
        // Even if others have written: a page has a terminal status only if it reaches the end. @see clause W16 in `WIRE.md` of `@tm/run-events-http`
        seen = run.lastSequence;
        pollAfter(nextAtMs - clock.now());
        return run;
      } catch (error) {
        pollAfter(REST_MS);
        onEnd(error);
        throw error;
      }
    },
  });
  watch.notify();
  return {
    ...watch,
    stop() {
      watch.stop();
      stopTimer();
    },
  };
}
