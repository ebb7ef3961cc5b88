import { createServer, type IncomingMessage, type Server } from "node:http";
import { createRunEvents } from "@tm/run-events-core";
import { runSubject, serveParent } from "./child.ts";
import { listen } from "./listen.ts";
import { readUsage, type Usage } from "./rounds.ts";
import { OWNER, runIdOf } from "./run-ids.ts";
import { openStore } from "./stores.ts";

/** A server under test that takes appends, in a process that does nothing else. */
export interface HttpAppendServer {
  /** Listens on a free port and returns it. */
  listen(): Promise<number> | number;
  usage(): Usage;
  /**
   * How many events the log holds.
   * @throws unless every run has its events without a gap.
   */
  count(): Promise<number> | number;
}

/** Serves the parent's calls with this server. */
function serveHttpAppend(server: Server, count: HttpAppendServer["count"]): void {
  serveParent<HttpAppendServer>({ listen: () => listen(server), usage: readUsage, count });
}

const HEADERS = {
  "content-type": "application/json; charset=utf-8",
  "cache-control": "private, no-store",
};

function readText(request: IncomingMessage, use: (text: string) => void): void {
  let text = "";
  request.setEncoding("utf8");
  request.on("data", (piece: string) => {
    text += piece;
  });
  request.on("end", () => use(text));
}

/**
 * The least that takes appends over HTTP: reads the body, parses it, counts its events and answers as long as ours does. No log, no routes,
 * no credentials, no limits, no checks.
 */
function serveBare(): void {
  const sequences = new Map<string, number>();
  const server = createServer((request, response) => {
    readText(request, (text) => {
      const path = request.url ?? "";
      const { events } = JSON.parse(text) as { readonly events: readonly unknown[] };
      const sequence = (sequences.get(path) ?? 0) + events.length;
      sequences.set(path, sequence);
      const body = `{"firstSequence":${sequence},"lastSequence":${sequence},"runStatus":"running","currentPhase":null,"replayed":false}`;
      response.writeHead(201, { ...HEADERS, "content-length": body.length });
      response.end(body);
    });
  });
  serveHttpAppend(server, () => [...sequences.values()].reduce((sum, last) => sum + last, 0));
}

async function serveOurs(file = "", connections = ""): Promise<void> {
  const { createNodeHandler } = await import("@tm/run-events-http/node");
  const runs = createRunEvents({ store: await openStore("sqlite", file) });
  const ownerId = OWNER;
  const runIds = Array.from({ length: Number(connections) }, (_, index) => runIdOf(index));
  for (const runId of runIds) await runs.create({ ownerId, runId });
  const handler = createNodeHandler({
    runs,
    authenticate: () => ({ userId: OWNER, credential: "bearer" }),
  });
  serveHttpAppend(
    createServer((request, response) => handler.handle(request, response)),
    async () => {
      const found = await Promise.all(runIds.map((runId) => runs.get(runId, { ownerId })));
      return found.reduce((sum, { lastSequence }) => sum + lastSequence, 0);
    },
  );
}

/** As in its README, with storage in files; every other option is the default. */
async function serveDurableStreams(dataDir = "", streams = ""): Promise<void> {
  const { DurableStreamTestServer } = await import("@durable-streams/server");
  // It prints every append over 50 ms, between the lines of the report.
  console.info = () => {};
  const server = new DurableStreamTestServer({ port: 0, dataDir });
  await server.start();
  for (let index = 0; index < Number(streams); index++) {
    const created = await fetch(urlOf(index), {
      method: "PUT",
      headers: { "content-type": "application/json" },
    });
    if (!created.ok) throw new Error(`PUT of a stream: ${created.status}`);
  }

  function urlOf(index: number): string {
    return `${server.url}/${runIdOf(index)}`;
  }

  serveParent<HttpAppendServer>({
    listen: () => Number(new URL(server.url).port),
    usage: readUsage,
    async count() {
      let count = 0;
      for (let index = 0; index < Number(streams); index++)
        count += await countMessages(urlOf(index));
      return count;
    },
  });
}

/** Reads a stream to its end. */
async function countMessages(url: string): Promise<number> {
  let count = 0;
  let offset = "-1";
  for (;;) {
    const response = await fetch(`${url}?offset=${offset}`);
    count += ((await response.json()) as readonly unknown[]).length;
    if (response.headers.has("stream-up-to-date")) return count;
    offset = response.headers.get("stream-next-offset") ?? "";
  }
}

await runSubject({
  ours: serveOurs,
  bare: serveBare,
  "durable-streams": serveDurableStreams,
});
