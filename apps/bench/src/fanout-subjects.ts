import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import { createConnection } from "node:net";
import { createMemoryStore, createRunEvents } from "@tm/run-events-core";
import { runSubject, serveParent } from "./child.ts";
import { NCHAN_PATHS } from "./nchan.ts";
import { OWNER, runIdOf } from "./run-ids.ts";
import { encodeEvent, encodeFrame, sampleEvent, STREAM_HEADERS } from "./sample-event.ts";
import { createRunServer, serveTested, type TestedServer } from "./tested-server.ts";

/** A server under test that fans out. */
export interface FanoutServer extends TestedServer {
  /** Sends this many new events to every reader, a run's in one append. Resolves with the last one's sequence. */
  publish(events: number): Promise<number>;
}

/** An event whose JSON is of 300 bytes. */
const EVENT = sampleEvent(300);
let lastSequence = 0;

async function serveOurs(): Promise<void> {
  const runs = createRunEvents({ store: createMemoryStore() });
  const [runId, mine] = [runIdOf(0), { ownerId: OWNER }];
  await runs.create({ runId, ...mine });
  serveTested(createRunServer(runs, "session"), {
    async publish(events: number) {
      const batch = Array.from({ length: events }, () => EVENT);
      return (await runs.append(runId, batch, mine)).lastSequence;
    },
  });
}

/**
 * The least work to fan out with Node's responses: one buffer for all. No log, no cursor, no back-pressure, no heartbeat. Same headers,
 * same frames as ours.
 */
function serveResponses(): void {
  const responses = new Set<ServerResponse>();
  const server = createServer((_request, response) => {
    response.writeHead(200, STREAM_HEADERS);
    response.write(encodeFrame('{"type":"connected"}', 0));
    responses.add(response);
    response.once("close", () => responses.delete(response));
  });
  serveTested(server, {
    async publish(events: number) {
      for (let left = events; left > 0; left--) {
        lastSequence += 1;
        const chunk = Buffer.from(encodeFrame(encodeEvent(EVENT, lastSequence), lastSequence));
        for (const response of responses) response.write(chunk);
      }
      return lastSequence;
    },
  });
}

/** Publishes to an nginx that runs in another process, so that publishing is not measured, and reads the time that its worker has used. */
async function publishToNchan(nginxPort = ""): Promise<void> {
  const port = Number(nginxPort);
  const url = `http://127.0.0.1:${port}`;
  const pid = await (await fetch(url + NCHAN_PATHS.pid)).text();
  const publish = await connectPublisher(port);
  // Every reader is first sent an event of sequence 0, as ours sends `connected`.
  await publish([encodeEvent(EVENT, 0)]);
  serveParent<FanoutServer>({
    listen: async () => port,
    async publish(count) {
      await publish(Array.from({ length: count }, () => encodeEvent(EVENT, ++lastSequence)));
      return lastSequence;
    },
    usage() {
      // The time on a processor, user and system, in nanoseconds.
      const [nanos] = readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ");
      return { wallMicros: performance.now() * 1_000, cpuMicros: Number(nanos) / 1_000 };
    },
  });
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

await runSubject({ ours: serveOurs, "response.write": serveResponses, nchan: publishToNchan });
