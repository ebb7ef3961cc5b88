import type { WorkedRun, WorkOptions } from "@tm/run-events-core";
import { runWork } from "@tm/run-events-core/wire";
import { createServer, type ServerOptions } from "../http/server.ts";
import { createServerAccess } from "./server-access.ts";

/** The run to work on, and how. */
export interface WorkRunOptions extends ServerOptions, WorkOptions {
  /** The id of one of your runs. The run must exist. */
  readonly runId: string;
}

/**
 * Works on a run as its only writer, as `work` of `@tm/run-events-core` does with a store. It claims the run, and renews the lease until
 * the task is over. Then it ends the run after all events of the task: with `RUN_COMPLETED` and what the task returned, or with
 * `RUN_FAILED` if it threw. A task may also end the run itself.
 *
 * While the server does not answer, an append is sent again while the lease lasts, for five minutes at most. `run.signal` aborts
 * when the task should stop, such as when another program ends the run. That comes at once if the task has appended nothing for
 * 0.6 s. Otherwise it comes with the next append, or within that time. After an outage of the server it comes with a renewal, or within
 * half a minute.
 *
 * `signal` shuts the worker down. During the claim it cuts the request off, and asks nothing more. If that claim has landed, its lease
 * expires after `leaseMs`. Between the claim's answer and the task, the run is released. A release that gets no answer in 3 s is given
 * up, and the lease expires.
 * @returns what the task returned
 * @throws what the task threw
 * @throws the reason of `signal`, if that stopped the task
 * @throws RunEventsError `claimed` (with `expiresAt`), `run_finished`, `fenced`, `not_found`
 * @throws RunEventsError the reason why an emitted event, or the end, could not be appended
 * @throws RunEventsError `store_unavailable`, `ambiguous`, of a claim that got no answer in a third of `leaseMs`. The run may then be
 * claimed under a fence that is lost, until that lease expires
 * @see clauses W31 and W32 in `WIRE.md` of `@tm/run-events-http`
 *
 * @example
 * await workRun({ runId, leaseMs: 60_000, baseUrl, credential: { bearer: token } }, async (run) => {
 *   for await (const token of answer(run.signal)) await run.emit("TOKEN", token);
 * });
 */
export async function workRun<Value>(
  options: WorkRunOptions,
  task: (run: WorkedRun) => Value | Promise<Value>,
): Promise<Value> {
  const closing = new AbortController();
  const access = createServerAccess(createServer(options), options.signal, closing.signal);
  try {
    return await runWork(access, options.runId, options, task);
  } finally {
    // A renewal may still be under way, but its answer no longer matters.
    closing.abort();
  }
}
