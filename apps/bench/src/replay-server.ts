import type { Server } from "node:http";
import { serveParent } from "./child.ts";
import { listen } from "./listen.ts";
import { readUsage, type Usage } from "./rounds.ts";
import type { RunServer } from "./run-server.ts";

/** The stores whose logs are replayed. */
export const REPLAY_STORES = ["sqlite", "memory", "postgres", "redis"] as const;
export type ReplayStore = (typeof REPLAY_STORES)[number];

/** A server under test, in a process that does nothing else. */
export interface ReplayServer extends RunServer {
  usage(): Usage;
}

/** Serves the parent's calls with this server. */
export function serveReplay(server: Server): void {
  serveParent<ReplayServer>({ listen: () => listen(server), usage: readUsage });
}
