import { createServer, type Server, type ServerResponse } from "node:http";
import { setImmediate as nextTurn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { encodeConnected, STREAM_HEADERS } from "./bare-stream.ts";
import { runSubject, serveParent } from "./child.ts";
import { listen } from "./listen.ts";
import { readUsage, type Usage } from "./rounds.ts";
import { OWNER, runIdOf } from "./run-ids.ts";

const HEARTBEAT_MS = 15_000;
const TICK_MS = 500;
const HEARTBEAT = Buffer.from(
  `data: {"type":"status","runStatus":"queued","currentPhase":null,"lastSequence":0}\n\n`,
);

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
function serveIdle(server: Server, open: () => number): void {
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

/** The least that holds streams open: no log, no cursor, no back-pressure. Same headers, same heartbeats, spread over time. */
function serveBare(): void {
  const responses = new Set<ServerResponse>();
  const server = createServer((_request, response) => {
    response.writeHead(200, STREAM_HEADERS);
    response.write(encodeConnected(0));
    responses.add(response);
    response.once("close", () => responses.delete(response));
  });

  let turn = responses.values();
  setInterval(() => {
    const count = Math.ceil((responses.size * TICK_MS) / HEARTBEAT_MS);
    for (let written = 0; written < count; written++) {
      const next = turn.next();
      if (next.done === true) {
        turn = responses.values();
        return;
      }
      next.value.write(HEARTBEAT);
    }
  }, TICK_MS);

  serveIdle(server, () => responses.size);
}

/** Imports what the bare server does not need: its memory is measured. */
async function serveOurs(runCount = ""): Promise<void> {
  const { createMemoryStore, createRunEvents } = await import("@tm/run-events-core");
  const { createNodeHandler } = await import("@tm/run-events-http/node");
  const runs = createRunEvents({ store: createMemoryStore() });
  for (let index = 0; index < Number(runCount); index++) {
    await runs.create({ ownerId: OWNER, runId: runIdOf(index) });
  }
  const handler = createNodeHandler({
    runs,
    authenticate: () => ({ userId: OWNER, credential: "session" }),
    maxStreamsPerUser: Number.POSITIVE_INFINITY,
  });
  const server = createServer((request, response) => handler.handle(request, response));

  serveIdle(server, () => handler.stats().streams.open);
}

await runSubject({ bare: serveBare, ours: serveOurs });
