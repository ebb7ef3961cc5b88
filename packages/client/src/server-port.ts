import {
  type AppendReceipt,
  type Claim,
  isTerminal,
  JsonText,
  RunEventsError,
  type RunSnapshot,
} from "@tm/run-events-core";
import { MAX_BATCH_EVENTS, runFinished } from "@tm/run-events-core/store";
import { systemClock, type WorkPort } from "@tm/run-events-core/wire";
import { linkAbort } from "./link-abort.ts";
import { pause } from "./pause.ts";
import { retrying } from "./retrying.ts";
import type { Server } from "./server.ts";
import { unheard } from "./server-errors.ts";
import { watchEnd } from "./watch-end.ts";

/** How long an append is sent again, in milliseconds: a server that never takes it must not hold the run for ever. */
const APPEND_MS = 300_000;
/** How long the run is not looked at behind a refusal that says nothing of it, in milliseconds. */
const REST_MS = 30_000;
/** How long a release may take, in milliseconds: a lease that is not given back runs out. */
const RELEASE_MS = 20_000;

const JSON_TYPE = { "content-type": "application/json" } as const;

/**
 * What is between a worker and its run on a server: made for one work.
 * @param shutdown shuts the worker down
 * @param closing aborts when the work is over, and ends what is still under way
 * @see W31, W32
 */
export function createServerPort(
  server: Server,
  shutdown: AbortSignal | undefined,
  closing: AbortSignal,
): WorkPort {
  /** Aborts when it is of no use any more to send an append again. */
  const stopped = new AbortController();
  /** The last sequence that the worker knows of. */
  let known = 0;

  function stopTrying(): void {
    const message = "The server is away, and the worker has no time left to wait for it.";
    stopped.abort(new RunEventsError("store_unavailable", message, { ambiguous: true }));
  }

  async function askClaim(
    runId: string,
    call: Pick<Parameters<Server["ask"]>[0], "method" | "headers">,
    body: object,
  ): Promise<Claim> {
    const path = `${homeOf(runId)}/claim`;
    const asked = { ...call, path, body: JSON.stringify(body), signal: closing };
    return server.askJson<Claim>(asked, 0, "fence");
  }

  /** Where the run is under the new lease, in which nobody else writes to it. */
  async function findEnd(runId: string, patienceMs: number): Promise<number> {
    const call = { path: homeOf(runId), signal: closing };
    const { runStatus, lastSequence } = await retrying(
      () => server.askJson<RunSnapshot>(call),
      shutdown ?? closing,
      patienceMs,
    );
    known = lastSequence;
    if (isTerminal(runStatus)) throw runFinished(runStatus, lastSequence);
    return lastSequence;
  }

  async function release(runId: string, fence: number): Promise<void> {
    const { signal, abort } = linkAbort(closing);
    pause(RELEASE_MS, signal).then(
      () => abort(unheard("The server did not take the lease back in time.")),
      () => {},
    );
    const path = `${homeOf(runId)}/claim`;
    const body = JSON.stringify({ fence });
    try {
      await server.ask({ path, method: "DELETE", headers: JSON_TYPE, body, signal });
    } finally {
      abort();
    }
  }

  return {
    clock: systemClock,
    // The server decides how large a payload may be.
    limits: { maxPayloadBytes: Infinity, maxBatchEvents: MAX_BATCH_EVENTS },
    closing,
    async claim(runId, leaseMs) {
      // One whose answer is lost may have been granted: only under the same key it is granted again.
      const headers = { ...JSON_TYPE, "idempotency-key": crypto.randomUUID() };
      const ask = async (): Promise<Claim> =>
        askClaim(runId, { method: "POST", headers }, { leaseMs });
      const { fence } = await retrying(ask, shutdown ?? closing, leaseMs / 3);
      try {
        return { fence, lastSequence: await findEnd(runId, leaseMs / 3) };
      } catch (error) {
        await release(runId, fence).catch(() => {});
        throw error;
      }
    },
    async renew(runId, fence, leaseMs) {
      try {
        return await askClaim(runId, { method: "PUT", headers: JSON_TYPE }, { fence, leaseMs });
      } catch (error) {
        throw isRefusedByServer(error) ? error : unheard("The lease was not renewed.", error);
      }
    },
    release,
    async append(runId, events, { fence, idempotencyKey, expectedSequence }) {
      const texts = events.map(
        ({ eventType, payload }) =>
          `{"eventType":${JSON.stringify(eventType)},"payload":${JsonText.of(payload).text}}`,
      );
      const expected =
        expectedSequence === undefined ? "" : `,"expectedSequence":${expectedSequence}`;
      const call = {
        path: `${homeOf(runId)}/events`,
        method: "POST",
        headers: {
          ...JSON_TYPE,
          "run-fence": `${fence}`,
          "idempotency-key": idempotencyKey ?? crypto.randomUUID(),
        },
        body: `{"events":[${texts.join()}]${expected}}`,
        signal: closing,
      } as const;
      const ask = async (): Promise<AppendReceipt> => server.askJson(call);
      const receipt = await retrying(ask, stopped.signal, APPEND_MS);
      known = Math.max(known, receipt.lastSequence);
      return receipt;
    },
    watchEnd(runId, { landings, onEnd }) {
      const watching = linkAbort(closing);
      let seen = landings();
      function isQuiet(): boolean {
        const before = seen;
        seen = landings();
        return seen === before;
      }
      const { signal } = watching;
      const since = (polled: number): number => Math.max(polled, known);
      /** If it is for any other reason that the run cannot be read, the renewals have the say. */
      async function watchOn(): Promise<never> {
        for (;;) {
          await watchEnd(server, homeOf(runId), isQuiet, signal, since).catch((error: unknown) => {
            if (isGone(error)) onEnd(error);
          });
          await pause(REST_MS, signal);
        }
      }
      watchOn().catch(() => {});
      shutdown?.addEventListener("abort", stopTrying);
      if (shutdown?.aborted === true) stopTrying();
      return {
        // The claim has looked.
        ready: Promise.resolve(),
        stop() {
          shutdown?.removeEventListener("abort", stopTrying);
          watching.abort();
          // The lease is over, or no longer needed. An append that is on its way is still heard out.
          stopTrying();
        },
      };
    },
  };
}

function homeOf(runId: string): string {
  return `/v1/agent-runs/${encodeURIComponent(runId)}`;
}

/** Whether there is nothing to write to any more. */
function isGone(error: unknown): boolean {
  return error instanceof RunEventsError && /^(not_found|run_finished)$/.test(error.code);
}

/** Whether the server says it, and not what is between: only a problem of the server's has a code. @see W3 */
function isRefusedByServer(error: unknown): boolean {
  return error instanceof RunEventsError && "code" in error.details;
}
