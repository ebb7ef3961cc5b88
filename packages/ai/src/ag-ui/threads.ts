import type { RunAgentInput } from "@ag-ui/client";
import { alsoKept } from "../produce/ask-to-stay.ts";
import { pulled } from "../streams/pulled.ts";
import { ownersOf, produceOptionsOf, type RecordOptions } from "../produce/record-options.ts";
import { stopLive } from "../runs/topic-runs.ts";
import { findThread, followRuns, type PlacedEvent } from "./follow-thread.ts";
import { MERGE } from "./log-events.ts";
import { recordRun } from "./record-run.ts";
import { createThreadRoutes, type ThreadParts, type ThreadRoutesOptions } from "./routes.ts";
import type { RunAgent } from "./write-run.ts";

/** Settings of {@link createThreads}. */
export type ThreadsOptions = RecordOptions;

/** A thread of one owner. Two owners may use the same id: their threads are different. */
export interface ThreadPlace {
  /** 1 to 200 characters, none of them a control character. */
  readonly threadId: string;
  readonly ownerId: string;
}

/** A run that is being recorded. */
export interface RecordedRun {
  /** The id of the run in the store. */
  readonly runId: string;
  /** The events of the run, from its log. The run does not wait for a reader, so you need not read them. */
  readonly events: ReadableStream<PlacedEvent>;
  /**
   * Resolves at the end of the run or at its question, also if an earlier call makes the run. It rejects if the run fails or is stopped.
   * The rejection may be ignored.
   */
  readonly done: Promise<unknown>;
}

/** Threads of AG-UI whose events are in the logs of runs. */
export interface Threads {
  /**
   * Records the events of an agent. A thread has one run at a time. A repeated request, with the same `runId`, joins its run. A request
   * with `resume` goes on with the waiting run of the thread.
   * @returns once the request is recorded
   * @throws RunEventsError `topic_busy` while another run of the thread goes on or waits; `run_finished` for an answer that nothing waits
   * for, or if the run of an earlier request ended before that request was recorded; `claimed` if the worker that has asked does not give
   * the run back; `invalid_request` for an answer that leaves a question open, and for a request that is nested too deep; `fenced` if
   * the process hung for longer than its lease, so that nothing was recorded; `payload_too_large`, `store_unavailable`
   */
  record(
    request: { readonly ownerId: string; readonly input: RunAgentInput },
    agent: RunAgent,
  ): Promise<RecordedRun>;
  /**
   * Replays all runs of a thread, and follows the last one up to its end or a question. A run whose process died ends with `RUN_ERROR`. A
   * stopped run ends with the outcome `cancelled`.
   * @param thread.since the `place` of an event. Default: the start
   * @throws RunEventsError `not_found` for a place of another thread, or of a run that was removed or has lost that event; `invalid_request`,
   * `store_unavailable`
   */
  follow(
    thread: ThreadPlace & { readonly since?: string | null | undefined },
  ): Promise<ReadableStream<PlacedEvent>>;
  /**
   * Stops the live run of a thread, in any process. A waiting run is stopped too.
   * @returns whether there was one
   * @throws RunEventsError `invalid_request`, `store_unavailable`
   */
  stop(thread: ThreadPlace): Promise<boolean>;
  /** Makes the routes that `RunEventsAgent` and `HttpAgent` ask, as one function of a request. */
  routes(options: ThreadRoutesOptions): (request: Request) => Promise<Response>;
}

/**
 * Makes threads for agents of AG-UI. Each run outlives its request and its readers. Any process can follow, answer or stop it.
 * @throws TypeError for a `leaseMs` or a `mergeMs` out of bounds, and a `describeError` that is not a function
 *
 * @example
 * const threads = createThreads({ runs });
 * const handle = threads.routes({ authenticate: (request) => userOf(request), agent: ({ input }) => agent.run(input) });
 */
export function createThreads(options: ThreadsOptions): Threads {
  const streamsOf = ownersOf(options, "ag-ui");
  const how = produceOptionsOf(options, MERGE);
  const record: ThreadParts["record"] = async ({ ownerId, input }, agent, keep) => {
    const streams = streamsOf({ ownerId });
    const recording = { input, agent, how: alsoKept(how, keep) };
    const { query, run } = await recordRun(streams, recording);
    return {
      runId: query.runId,
      events: pulled((signal) => followRuns(streams, [query], signal)),
      get done() {
        return run.done;
      },
    };
  };
  const threads: Threads = {
    record: (request, agent) => record(request, agent, () => {}),
    async follow({ threadId, since = null, ...owner }) {
      const streams = streamsOf(owner);
      const queries = await findThread(streams, threadId, since);
      return pulled((signal) => followRuns(streams, queries, signal));
    },
    stop: async ({ threadId, ...owner }) => stopLive(streamsOf(owner), threadId),
    routes: (routesOptions) => createThreadRoutes(threads, routesOptions, { record }),
  };
  return threads;
}
