import { type AppendReceipt, type Claim, isTerminal, type RunSnapshot } from "@tm/run-events-core";
import { MAX_BATCH_EVENTS, runFinished } from "@tm/run-events-core/store";
import { holdingClock, isRefusal } from "@tm/run-events-core/wire";
import type { runWork } from "@tm/run-events-core/wire";
import {
  appendCall,
  type Call,
  claimCall,
  getCall,
  pageCall,
  releaseCall,
  renewCall,
} from "../http/run-calls.ts";
import type { Server } from "../http/server.ts";
import { unanswered } from "../http/server-errors.ts";
import { pollInputs } from "./poll-inputs.ts";
import { watchServer } from "./watch-server.ts";

/** The time that an append is sent again, in milliseconds. An append that a server never takes must not keep the run claimed for ever. */
const APPEND_MS = 300_000;
/** The time that a release may take, in seconds: a shutdown waits for it. Without it the lease expires. */
const RELEASE_SECONDS = 3;

/**
 * Connects `runWork` to a run on a server. Each work has its own.
 *
 * | appends are     | until                                                   | then      |
 * | --------------- | ------------------------------------------------------- | --------- |
 * | sent again      | the worker shuts down, or its watch for the end stops   | sent once |
 * | sent once       | the work is over (`closing`)                            | cut off   |
 *
 * | the worker shuts down           | then                                                                            |
 * | ------------------------------- | ------------------------------------------------------------------------------- |
 * | before the claim is answered    | the request is cut off. If it got a lease, that lease expires, since its fence is unknown |
 * | after the answer                | the read of the run is cut off, and the lease is released                       |
 *
 * A release that gets no answer in 3 s is given up. The lease then expires.
 * @param shutdown shuts the worker down
 * @param closing aborts when the work is over, and ends what is still under way
 * @see clauses W31 and W32 in `WIRE.md`
 */
export function createServerAccess(
  server: Server,
  shutdown: AbortSignal | undefined,
  closing: AbortSignal,
): Parameters<typeof runWork>[0] {
  /** Aborts when an append must not be sent again. */
  const stopped = new AbortController();
  /** The last sequence that an answer has shown. */
  let known = 0;

  const insist = async <T>(call: Call, patienceMs: number): Promise<T> =>
    server.ask(call, { signal: shutdown ?? closing, patienceMs });
  const stopTrying = (): void =>
    stopped.abort(
      Object.assign(unanswered("The server gave no answer in time."), { ambiguous: true }),
    );
  const release = async (runId: string, fence: number): Promise<unknown> =>
    server.askJson({ ...releaseCall(runId, fence), seconds: RELEASE_SECONDS }, closing);

  return {
    clock: holdingClock,
    // The server decides how large a payload may be.
    limits: { maxPayloadBytes: Infinity, maxBatchEvents: MAX_BATCH_EVENTS },
    closing,
    // `append` already sends again.
    insist: async (send) => send(),
    async claim(runId, leaseMs, worker) {
      const { fence } = await insist<Claim>(claimCall(runId, { leaseMs, worker }), leaseMs / 3);
      try {
        // Under the new lease no other worker writes to the run.
        const run = await insist<RunSnapshot>(getCall(runId), leaseMs / 3);
        const { runStatus, lastSequence, updatedAt } = run;
        known = lastSequence;
        if (isTerminal(runStatus)) throw runFinished(runStatus, lastSequence);
        return { runId, fence, lastSequence, at: lastSequence === 0 ? undefined : updatedAt };
      } catch (error) {
        await release(runId, fence).catch(() => {});
        throw error;
      }
    },
    renew: async (runId, fence, leaseMs) =>
      server.askJson(renewCall(runId, fence, leaseMs), closing),
    release,
    async append(runId, events, conditions) {
      const call = appendCall(runId, events, conditions);
      const patience = { signal: stopped.signal, patienceMs: APPEND_MS };
      const receipt = await server.ask<AppendReceipt>(call, patience, closing);
      known = Math.max(known, receipt.lastSequence);
      return receipt;
    },
    async read(runId, sequence, signal) {
      const call = pageCall(runId, { since: sequence - 1, limit: 1, wait: 0 });
      return server.ask(call, { signal });
    },
    inputs: (runId, after, signal) =>
      pollInputs((call) => server.ask(call, { signal }), runId, after, signal),
    watchEnd(runId, watcher) {
      const watching = new AbortController();
      const watch = watchServer(server, runId, watching.signal, {
        known: () => known,
        landings: watcher.landings,
        // A failure to read is not the run's end. The next renewal decides then.
        onEnd: (reason) => isRefusal(reason) && watcher.onEnd(reason),
      });
      shutdown?.addEventListener("abort", stopTrying);
      if (shutdown?.aborted === true) stopTrying();
      return {
        // The claim has read the run.
        ready: Promise.resolve(),
        stop() {
          shutdown?.removeEventListener("abort", stopTrying);
          watch.stop();
          watching.abort();
          // The lease is over, or no longer needed. An append that is on its way still gets its answer.
          stopTrying();
        },
      };
    },
  };
}
