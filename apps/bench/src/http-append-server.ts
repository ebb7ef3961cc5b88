import type { Server } from "node:http";
import { serveParent } from "./child.ts";
import { listen } from "./listen.ts";
import { readUsage, type Usage } from "./rounds.ts";

/** A server under test that takes appends, in a process that does nothing else. */
export interface HttpAppendServer {
  /** Listens on a free port and returns it. */
  listen(): Promise<number> | number;
  usage(): Usage;
  /** How many events the log holds. @throws unless every run has its events without a gap. */
  count(): Promise<number> | number;
}

/** How many connections there are, each waiting for the answer to one request at any time; also how many runs. */
export const CONNECTIONS = 32;
/** Serves the parent's calls with this server. */
export function serveHttpAppend(server: Server, count: HttpAppendServer["count"]): void {
  serveParent<HttpAppendServer>({ listen: () => listen(server), usage: readUsage, count });
}
