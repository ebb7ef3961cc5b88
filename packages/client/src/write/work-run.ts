import type { WorkedRun, WorkOptions } from "@tm/run-events-core";
import { runWork } from "@tm/run-events-core/wire";
import { createServer, type ServerOptions } from "../http/server.ts";
import { createServerAccess } from "./server-access.ts";

/** Which run to work on, and how. */
export interface WorkRunOptions extends ServerOptions, WorkOptions {
  /** A run of yours. It is not created. */
  readonly runId: string;
}

/**
 * Works on a run as its only writer, as `work` of `@tm/run-events-core` does with a store: claims the run, keeps the lease while
 * the task goes on, and ends the run behind all that the task has given: with `RUN_COMPLETED` and what it returned, or with
 * `RUN_FAILED` and the message of what it threw, unless it has ended the run itself.
 *
 * While the server is away what the task gives is sent again, as long as the lease lasts, five minutes at most. The task learns from
 * `run.signal` that it should stop: at once if somebody ends the run when it has been quiet for 0.6 s, with its next append or within
 * that time if it has not; with a renewal, or within half a minute, if the server was away.
 *
 * A shutdown (`signal`) during the claim cuts the request off, and asks nothing more: if it has landed, its lease runs out after `leaseMs`.
 * Between the claim's answer and the task it releases the run.
 * @returns what the task returned
 * @throws what the task threw; the reason of `signal` if that stopped it; RunEventsError `claimed` (with `expiresAt`),
 * `run_finished`, `fenced`, `not_found`, and why an emitted event or the end could not be appended; of a claim that got no
 * answer in a third of `leaseMs` `store_unavailable`, `ambiguous`: the run may be claimed under a fence that nobody knows, until that
 * lease runs out
 * @see W31, W32
 *
 * @example
 * await workRun({ runId, leaseMs: 60_000, baseUrl, credential: { bearer: token } }, async (run) => {
 *   for await (const token of answer(run.signal)) await run.emit("TOKEN", token);
 *   // A stream that is aborted may just end: then the work is not done.
 *   run.signal.throwIfAborted();
 * });
 */
export async function workRun<Value>(
  options: WorkRunOptions,
  task: (run: WorkedRun) => Value | Promise<Value>,
): Promise<Value> {
  const { runId, leaseMs, signal } = options;
  const closing = new AbortController();
  const port = createServerAccess(createServer(options), options, closing.signal);
  try {
    return await runWork(port, runId, { leaseMs, signal }, task);
  } finally {
    // A renewal may still be under way, which nobody waits for any more.
    closing.abort();
  }
}
