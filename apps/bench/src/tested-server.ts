import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { RunEvents } from "@tm/run-events-core";
import { createNodeHandler } from "@tm/run-events-http/node";
import { type Api, serveParent } from "./child.ts";
import { readUsage, type Usage } from "./rounds.ts";
import { OWNER } from "./run-ids.ts";

/** A server under test, in a process that does nothing else. */
export interface TestedServer {
  /** Listens on a free port and returns it. */
  listen(): Promise<number>;
  usage(): Usage;
}

/** Serves the parent's calls with this server. @param more what this one does besides */
export function serveTested<More extends Api<More>>(server: Server, more: More): void {
  serveParent<TestedServer & More>({ listen: () => listen(server), usage: readUsage, ...more });
}

/** Serves the runs as their owner to every caller. @param credential a session for live streams, a bearer's token for appends */
export function createRunServer(runs: RunEvents, credential: "session" | "bearer"): Server {
  const handler = createNodeHandler({
    runs,
    authenticate: () => ({ userId: OWNER, credential }),
    maxStreamsPerUser: Number.POSITIVE_INFINITY,
  });
  return createServer((request, response) => handler.handle(request, response));
}

/** Where a run's live stream is. */
export function streamPath(runId: string): string {
  return `/v1/agent-runs/${runId}/stream`;
}

/** Listens on a free port of the loopback interface, and returns the port. */
async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("Expected a TCP port.");
  return address.port;
}
