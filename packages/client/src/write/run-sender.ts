import {
  type AppendReceipt,
  isTerminal,
  type RunSnapshot,
  RunEventsError,
  type RunEventsErrorCode,
} from "@tm/run-events-core";
import { linkAbort } from "../http/link-abort.ts";
import { retrying } from "../http/retrying.ts";
import type { Call } from "../http/run-calls.ts";
import type { Server } from "../http/server.ts";
import { watchServer } from "./watch-server.ts";

/**
 * The requests of one writer to its server.
 *
 * | it is   | until                                            | then    | `signal`   |
 * | ------- | ------------------------------------------------ | ------- | ---------- |
 * | open    | an answer says that the run has ended, or `shut` | shut    |            |
 * | open    | a refusal, or the watch, finds the run ended     | shut    | aborts     |
 * | open    | `stop`: an event cannot be sent                  | failed  | aborts     |
 * | failed  | an answer says that the run has ended, or `shut` | shut    |            |
 *
 * A failed sender can still end the run. A shut sender sends nothing.
 */
export interface RunSender {
  /** Aborts when it is shut. */
  readonly over: AbortSignal;
  /** Aborts when another program ends the run, or with the reason why an event was not sent. The first call starts the watch. */
  signal(): AbortSignal;
  /** Sends a request until there is an answer. */
  ask<T extends RunSnapshot | AppendReceipt>(call: Call): Promise<T>;
  stop(reason: unknown): void;
  shut(code: RunEventsErrorCode): void;
}

/** @param options its `signal` stops all requests under way */
export function createRunSender(
  server: Server,
  runId: string,
  options: {
    readonly signal?: AbortSignal;
    readonly patienceMs?: number;
    readonly mostDelayMs?: number;
  },
): RunSender {
  const { patienceMs = 300_000, mostDelayMs } = options;
  const { signal: over, abort } = linkAbort(options.signal);
  const watch = linkAbort(over);
  const stopped = new AbortController();
  let isWatching = false;
  let underWay = 0;
  let landings = 0;
  /** The last sequence that it knows of. */
  let known = 0;

  function stop(reason: unknown): void {
    stopped.abort(reason);
    // Nothing is under way when it is known that the run has ended. Else it can still be ended.
    (isFinished(reason) ? abort : watch.abort)(reason);
  }

  function shut(code: RunEventsErrorCode): void {
    abort(new RunEventsError(code, "The writer is closed.", { retryable: false }));
  }

  return {
    over,
    signal() {
      const { signal } = watch;
      if (!isWatching && !signal.aborted) {
        isWatching = true;
        const polls = watchServer(server, runId, signal, {
          known: () => known,
          landings: () => landings,
          // The end may be the writer's own, which is under way.
          onEnd: (reason) => underWay > 0 || signal.aborted || stop(reason),
        });
        signal.addEventListener("abort", polls.stop);
      }
      return stopped.signal;
    },
    async ask<T extends RunSnapshot | AppendReceipt>(call: Call): Promise<T> {
      underWay += 1;
      try {
        const ask = async (): Promise<T> => server.askJson(call, over);
        const answer = await retrying(ask, { signal: over, patienceMs, mostDelayMs });
        known = Math.max(known, answer.lastSequence);
        if (isTerminal(answer.runStatus)) shut("run_finished");
        return answer;
      } catch (error) {
        if (isFinished(error)) stop(error);
        throw error;
      } finally {
        underWay -= 1;
        landings += 1;
      }
    },
    stop,
    shut,
  };
}

function isFinished(error: unknown): boolean {
  return (error as { readonly code?: unknown } | null)?.code === "run_finished";
}
