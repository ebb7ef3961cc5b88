import type { Server } from "node:http";
import { serveParent } from "./child.ts";
import { listen } from "./listen.ts";
import { readUsage, type Usage } from "./rounds.ts";

/** A server under test, in a process that does nothing else. */
export interface FanoutServer {
  /** Listens on a free port and returns it. */
  listen(): Promise<number>;
  /** Sends so many new events to every reader, a run's in one append. Resolves with the last one's sequence. */
  publish(events: number): Promise<number>;
  usage(): Usage;
}

/** The run that every reader reads. */
export const FANOUT_RUN = "run";
/** The length of an event's JSON, in bytes. */
export const FANOUT_EVENT_BYTES = 300;

/** Serves the parent's calls with this server. */
export function serveFanout(server: Server, publish: FanoutServer["publish"]): void {
  serveParent<FanoutServer>({ listen: () => listen(server), publish, usage: readUsage });
}
