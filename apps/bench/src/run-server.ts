import { createServer, type Server } from "node:http";
import type { RunEvents } from "@tm/run-events-core";
import { createNodeHandler } from "@tm/run-events-http/node";

/** A server in a process of its own. */
export interface RunServer {
  /** Listens on a free port and returns it. */
  listen(): Promise<number>;
}

/** Serves the runs as their owner to every caller. */
export function createRunServer(runs: RunEvents, ownerId: string): Server {
  const handler = createNodeHandler({
    runs,
    authenticate: () => ({ userId: ownerId, credential: "session" }),
    maxStreamsPerUser: Number.POSITIVE_INFINITY,
  });
  return createServer((request, response) => handler.handle(request, response));
}

/** Where a run's live stream is. */
export function streamPath(runId: string): string {
  return `/v1/agent-runs/${runId}/stream`;
}
