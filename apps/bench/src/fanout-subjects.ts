import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import { createConnection } from "node:net";
import { text } from "node:stream/consumers";
import { encodeConnected, encodeEvent, STREAM_HEADERS } from "./bare-stream.ts";
import { runSubject, serveParent } from "./child.ts";
import { FANOUT_RUN, NCHAN_PATHS } from "./fanout-paths.ts";
import { listen } from "./listen.ts";
import { readUsage, type Usage } from "./rounds.ts";
import { sampleEvent } from "./sample-event.ts";

/** A server under test, in a process that does nothing else. */
export interface FanoutServer {
  /** Listens on a free port and returns it. */
  listen(): Promise<number>;
  /** Sends this many new events to every reader, a run's in one append. Resolves with the last one's sequence. */
  publish(events: number): Promise<number>;
  usage(): Usage;
}

/** An event as its readers have it. */
interface FanoutEvent {
  readonly sequence: number;
  /** What ours has in `data`. */
  readonly json: string;
}

/** An event whose JSON is of 300 bytes. */
const EVENT = sampleEvent(300);
const PAYLOAD = JSON.stringify(EVENT.payload);
let lastSequence = 0;

function createEvent(sequence: number): FanoutEvent {
  const { eventType } = EVENT;
  const event = { sequence, eventType, payload: PAYLOAD, createdAtMs: Date.now() };
  return { sequence, json: encodeEvent(event) };
}

/** The next events of the run: each is new, as one of ours is. */
function nextEvents(count: number): readonly FanoutEvent[] {
  return Array.from({ length: count }, () => createEvent(++lastSequence));
}

/** An event's frame, as ours has it. */
function frameOf({ sequence, json }: FanoutEvent): string {
  return `data: ${json}\nid: ${sequence}\n\n`;
}

/** Serves the parent's calls with this server. */
function serveFanout(server: Server, publish: FanoutServer["publish"]): void {
  serveParent<FanoutServer>({ listen: () => listen(server), publish, usage: readUsage });
}

/**
 * A server that keeps its responses: no log, no cursor, no back-pressure, no heartbeat. Same headers, same frames as ours.
 * @param send writes a frame to the responses
 */
function serveResponses(
  send: (frame: string, responses: ReadonlySet<ServerResponse>) => void,
): void {
  const responses = new Set<ServerResponse>();
  serveFanout(
    createServer((_request, response) => {
      response.writeHead(200, STREAM_HEADERS);
      response.write(encodeConnected(0));
      responses.add(response);
      response.once("close", () => responses.delete(response));
    }),
    async (count) => {
      for (const event of nextEvents(count)) send(frameOf(event), responses);
      return lastSequence;
    },
  );
}

/** The least work to fan out with Node's responses: one buffer for all. */
function writeToResponses(): void {
  serveResponses((frame, responses) => {
    const chunk = Buffer.from(frame);
    for (const response of responses) response.write(chunk);
  });
}

/** What Node's public interface takes at the least to send the same bytes: one write of one shared chunk to each socket. */
function writeToSockets(): void {
  serveResponses((frame, responses) => {
    const chunk = Buffer.from(`${Buffer.byteLength(frame).toString(16)}\r\n${frame}\r\n`);
    for (const { socket } of responses) socket?.write(chunk);
  });
}

async function serveOurs(): Promise<void> {
  const { createMemoryStore, createRunEvents } = await import("@tm/run-events-core");
  const { createNodeHandler } = await import("@tm/run-events-http/node");
  const ownerId = "reader";
  const runs = createRunEvents({ store: createMemoryStore() });
  await runs.create({ runId: FANOUT_RUN, ownerId });
  const handler = createNodeHandler({
    runs,
    authenticate: () => ({ userId: ownerId, credential: "session" }),
    maxStreamsPerUser: Number.POSITIVE_INFINITY,
  });
  serveFanout(
    createServer((request, response) => handler.handle(request, response)),
    async (events) => {
      const batch = Array.from({ length: events }, () => EVENT);
      return (await runs.as(ownerId).append(FANOUT_RUN, batch)).lastSequence;
    },
  );
}

/** Sends messages to nchan: all at once on one connection, which keeps their order. Resolves when all are answered. */
async function connectPublisher(
  port: number,
): Promise<(messages: readonly string[]) => Promise<void>> {
  const socket = createConnection({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  let answers = 0;
  let onAnswer = (): void => {};
  socket.on("data", (packet: Buffer) => {
    answers += packet.toString("latin1").split("HTTP/1.1 20").length - 1;
    onAnswer();
  });
  return (messages) => {
    const goal = answers + messages.length;
    const requests = messages.map(
      (message) =>
        `POST ${NCHAN_PATHS.publish} HTTP/1.1\r\nHost: x\r\nContent-Length: ${Buffer.byteLength(message)}\r\n\r\n${message}`,
    );
    return new Promise<void>((resolve) => {
      onAnswer = () => {
        if (answers >= goal) resolve();
      };
      socket.write(requests.join(""));
    });
  };
}

async function workerPid(port: number): Promise<string> {
  const asking = createConnection({ port, host: "127.0.0.1" });
  asking.write(`GET ${NCHAN_PATHS.pid} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  const [, body = ""] = (await text(asking)).split("\r\n\r\n");
  return body;
}

/** Publishes to an nginx that runs already, so that none of this is on its account, and reads what its worker has used. */
async function publishToNchan(nginxPort = ""): Promise<void> {
  const port = Number(nginxPort);
  const publish = await connectPublisher(port);
  const schedstat = `/proc/${await workerPid(port)}/schedstat`;
  // What every reader is sent first: an event of sequence 0, as ours has `connected`.
  await publish([createEvent(0).json]);
  serveParent<FanoutServer>({
    listen: async () => port,
    async publish(count) {
      await publish(nextEvents(count).map(({ json }) => json));
      return lastSequence;
    },
    usage() {
      // The time on a processor, user and system, in nanoseconds.
      const [nanos] = readFileSync(schedstat, "utf8").split(" ");
      return { wallMicros: performance.now() * 1_000, cpuMicros: Number(nanos) / 1_000 };
    },
  });
}

await runSubject({
  ours: serveOurs,
  "response.write": writeToResponses,
  "socket.write": writeToSockets,
  nchan: publishToNchan,
});
