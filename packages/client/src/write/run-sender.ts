import {
  type AppendReceipt,
  isTerminal,
  type RunSnapshot,
  RunEventsError,
  type RunEventsErrorCode,
} from "@tm/run-events-core";
import { checkLanding } from "@tm/run-events-core/wire";
import { linkAbort } from "../http/link-abort.ts";
import type { Call } from "../http/run-calls.ts";
import type { Server } from "../http/server.ts";
import { watchServer } from "./watch-server.ts";

/**
 * Sends the requests of one writer to its server.
 *
 * | it is   | until                                             | then    | `signal`   |
 * | ------- | ------------------------------------------------- | ------- | ---------- |
 * | open    | an answer shows that the run has ended, or `shut` | shut    |            |
 * | open    | a refusal, or the watch, finds that it has ended  | shut    | aborts     |
 * | open    | `stop`: an event cannot be sent                   | failed  | aborts     |
 * | failed  | an answer shows that the run has ended, or `shut` | shut    |            |
 *
 * A failed sender can still end the run. A shut sender sends nothing.
 */
export interface RunSender {
  /** Aborts when the sender is shut. */
  readonly over: AbortSignal;
  /**
   * Aborts when another program ends the run, or with the reason why an event was not sent. The first call starts the watch for the end.
   */
  signal(): AbortSignal;
  /** Sends a request, and again until it is answered. */
  ask<T extends RunSnapshot | AppendReceipt>(call: Call): Promise<T>;
  stop(reason: unknown): void;
  shut(code: RunEventsErrorCode): void;
}

/**
 * Creates the sender of one writer.
 * @param options its `signal` stops all requests under way
 */
export function createRunSender(
  server: Server,
  runId: string,
  options: {
    readonly signal?: AbortSignal;
    readonly patienceMs?: number;
  },
): RunSender {
  const { patienceMs = 300_000 } = options;
  const { signal: over, abort } = linkAbort(options.signal);
  const watch = linkAbort(over);
  const stopped = new AbortController();
  let isWatching = false;
  let underWay = 0;
  let landings = 0;
  /** The last sequence that an answer has shown. */
  let known = 0;

  function stop(reason: unknown): void {
    stopped.abort(reason);
    // If the run has ended, nothing more can be sent. Otherwise the program can still end the run.
    (isFinished(reason) ? abort : watch.abort)(reason);
  }

  function shut(code: RunEventsErrorCode): void {
    const why =
      code === "run_finished" ? "its run has ended" : "close it only after its last append";
    abort(new RunEventsError(code, `The writer is closed: ${why}.`, { retryable: false }));
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
          // The end may be the writer's own, whose answer is still on its way.
          onEnd: (reason) => underWay > 0 || signal.aborted || stop(reason),
        });
        signal.addEventListener("abort", polls.stop);
      }
      return stopped.signal;
    },
    async ask<T extends RunSnapshot | AppendReceipt>(call: Call): Promise<T> {
      underWay += 1;
      try {
        const answer = await server.ask<T>(call, { signal: over, patienceMs });
        const before = known;
        known = answer.lastSequence;
        if ("replayed" in answer) {
          if (answer.replayed) known = Math.max(before, known);
          checkLanding(answer, before);
        }
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
