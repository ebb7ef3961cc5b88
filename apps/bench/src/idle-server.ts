import type { Server } from "node:http";
import { setImmediate as nextTurn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { serveParent } from "./child.ts";
import { listen } from "./listen.ts";
import { readUsage, type Usage } from "./rounds.ts";

/** A server whose streams are idle, in a process of its own. */
export interface IdleServer {
  /** Listens on a free port and returns it. */
  listen(): Promise<number>;
  memory(): Memory;
  /** Collects all garbage. */
  collect(): Promise<void>;
  usage(): Usage;
  /** Live streams. */
  open(): number;
}

/** What a process takes, in bytes. */
export interface Memory {
  readonly resident: number;
  /** The heap and its buffers. */
  readonly inUse: number;
}

/** Serves the parent's calls with this server. */
export function serveIdle(server: Server, open: () => number): void {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  serveParent<IdleServer>({
    listen: () => listen(server),
    memory() {
      const { rss, heapUsed, external } = process.memoryUsage();
      return { resident: rss, inUse: heapUsed + external };
    },
    async collect() {
      collect();
      // What weak references led to goes with the next one, once this turn is over.
      await nextTurn();
      collect();
    },
    usage: readUsage,
    open,
  });
}
