import type { RunSnapshot } from "@tm/run-events-core";
import { holdingClock, pollForEnd } from "@tm/run-events-core/wire";
import { pageCall, WAIT_SECONDS } from "../http/run-calls.ts";
import type { Server } from "../http/server.ts";

/**
 * Watches for the end of a run on a server, as `pollForEnd` does.
 * @param signal ends the poll under way
 */
export function watchServer(
  server: Server,
  runId: string,
  signal: AbortSignal,
  watcher: Omit<Parameters<typeof pollForEnd>[0], "clock" | "poll">,
): ReturnType<typeof pollForEnd> {
  return pollForEnd({
    ...watcher,
    clock: holdingClock,
    async poll(since) {
      const call = pageCall(runId, { since, limit: 1, wait: WAIT_SECONDS });
      return server.ask<RunSnapshot>(call, { signal });
    },
  });
}
