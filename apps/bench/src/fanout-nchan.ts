import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createConnection } from "node:net";
import { text } from "node:stream/consumers";
import { serveParent } from "./child.ts";
import { lastOf, nextEvents, OPENING } from "./fanout-events.ts";
import type { FanoutServer } from "./fanout-server.ts";
import { NCHAN_PATHS } from "./nchan-config.ts";

// Publishes to an nginx that runs already, so that none of this is on its account, and reads what its worker has used.
const port = Number(process.argv[2]);
const socket = createConnection({ port, host: "127.0.0.1", noDelay: true });
await once(socket, "connect");
let answers = 0;
let onAnswer = (): void => {};
socket.on("data", (packet: Buffer) => {
  answers += packet.toString("latin1").split("HTTP/1.1 20").length - 1;
  onAnswer();
});

/** Sends all at once on one connection, which keeps their order, and waits for the answers. */
async function publish(messages: readonly string[]): Promise<void> {
  const goal = answers + messages.length;
  const requests = messages.map(
    (message) =>
      `POST ${NCHAN_PATHS.publish} HTTP/1.1\r\nHost: x\r\nContent-Length: ${Buffer.byteLength(message)}\r\n\r\n${message}`,
  );
  await new Promise<void>((resolve) => {
    onAnswer = () => {
      if (answers >= goal) resolve();
    };
    socket.write(requests.join(""));
  });
}

async function workerPid(): Promise<string> {
  const asking = createConnection({ port, host: "127.0.0.1" });
  asking.write(`GET ${NCHAN_PATHS.pid} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  const [, body = ""] = (await text(asking)).split("\r\n\r\n");
  return body;
}

const schedstat = `/proc/${await workerPid()}/schedstat`;
await publish([OPENING.json]);

serveParent<FanoutServer>({
  listen: async () => port,
  async publish(count) {
    const events = nextEvents(count);
    await publish(events.map(({ json }) => json));
    return lastOf(events);
  },
  usage() {
    // The time on a processor, user and system, in nanoseconds.
    const [nanos] = readFileSync(schedstat, "utf8").split(" ");
    return { wallMicros: performance.now() * 1_000, cpuMicros: Number(nanos) / 1_000 };
  },
});
