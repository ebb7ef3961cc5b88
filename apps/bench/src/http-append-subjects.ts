import { createServer, type IncomingMessage, type Server } from "node:http";
import { OWNER, runIdOf } from "./append-writer.ts";
import { runSubject, serveParent } from "./child.ts";
import { listen } from "./listen.ts";
import { readUsage, type Usage } from "./rounds.ts";
import { countEvents, createLog, prepareAppend } from "./sqlite-log.ts";

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

/** A body of an append. */
interface BareAppend {
  readonly events: readonly { readonly eventType: string; readonly payload: unknown }[];
}

/**
 * The least that takes appends over HTTP: reads the body, parses it and answers as long as ours does. No routes, no
 * credentials, no limits, no checks.
 * @param answer gives the run's sequence after the append, when it has been made
 */
function createBareAppendServer(
  append: (path: string, body: BareAppend, answer: (sequence: number) => void) => void,
): Server {
  return createServer((request, response) => {
    readText(request, (text) => {
      append(request.url ?? "", JSON.parse(text) as BareAppend, (sequence) => {
        const body = `{"firstSequence":${sequence},"lastSequence":${sequence},"runStatus":"running","currentPhase":null,"replayed":false}`;
        response.writeHead(201, { ...HEADERS, "content-length": body.length });
        response.end(body);
      });
    });
  });
}

function readText(request: IncomingMessage, use: (text: string) => void): void {
  let text = "";
  request.setEncoding("utf8");
  request.on("data", (piece: string) => {
    text += piece;
  });
  request.on("end", () => use(text));
}

/** Keeps nothing but the number of events that each run was sent. */
function serveBare(): void {
  const sequences = new Map<string, number>();

  serveHttpAppend(
    createBareAppendServer((path, { events }, answer) => {
      const sequence = (sequences.get(path) ?? 0) + events.length;
      sequences.set(path, sequence);
      answer(sequence);
    }),
    () => [...sequences.values()].reduce((sum, sequence) => sum + sequence, 0),
  );
}

/** One transaction for all that came in a turn of the event loop, and in the next if it was not one alone: as ours. */
async function serveBareSqlite(file = ""): Promise<void> {
  const { database } = await createLog(file);
  const append = prepareAppend(database);
  let waiting: (() => () => void)[] = [];

  const appendAll = database.transaction((appends: typeof waiting) =>
    appends.map((appendOne) => appendOne()),
  );

  function gather(): void {
    if (waiting.length > 1) setImmediate(commit);
    else commit();
  }

  function commit(): void {
    const appends = waiting;
    waiting = [];
    for (const answer of appendAll.immediate(appends)) answer();
  }

  serveHttpAppend(
    createBareAppendServer((path, { events }, answer) => {
      if (waiting.length === 0) setImmediate(gather);
      waiting.push(() => {
        const runId = path.split("/")[3] ?? "";
        let sequence = 0;
        for (const { eventType, payload } of events) {
          const createdAtMs = Date.now();
          sequence = append(runId, { eventType, payload: JSON.stringify(payload), createdAtMs });
        }
        return () => answer(sequence);
      });
    }),
    () => countEvents(database),
  );
}

async function serveOurs(file = ""): Promise<void> {
  const { createNodeHandler } = await import("@tm/run-events-http/node");
  const { database, runs } = await createLog(file);
  const handler = createNodeHandler({
    runs,
    authenticate: () => ({ userId: OWNER, credential: "bearer" }),
  });

  serveHttpAppend(
    createServer((request, response) => handler.handle(request, response)),
    () => countEvents(database),
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
  "bare-sqlite": serveBareSqlite,
  "durable-streams": serveDurableStreams,
});
