import { once } from "node:events";
import { Agent } from "node:http";
import { connect, type Socket } from "node:net";
import { serveParent } from "./child.ts";
import { type Ask, ask } from "./neighbours-ask.ts";
import { FLOODER, type FloodKind, type FloodLoader, LARGE_RUN } from "./neighbours-load.ts";

/** How many requests are in flight at any time. */
const AT_ONCE = 32;
const UPLOADS = 300;
/**
 * Of an upload's line that does not end, in bytes: as many uploads as a user may have fill what that user's bodies may take. More
 * would fill the memory that the system has for the sockets of both ends, and everybody's connections with it.
 */
const LINE_BYTES = 260_000;
const BATCH = 1_000;

/** A body of 4 MiB, in payloads of 250 KB. */
const LARGE = encode(
  Array.from({ length: 16 }, () => ({ ...note(), payload: "x".repeat(250_000) })),
);
const MANY = encode(Array.from({ length: BATCH }, note));
const EVENTS = { method: "POST", path: `/v1/agent-runs/${FLOODER}/events` } as const;

type Request = Pick<Ask, "method" | "path" | "body">;

const REQUESTS: Readonly<Record<Exclude<FloodKind, "uploads">, Request>> = {
  bodies: { ...EVENTS, body: LARGE },
  batches: { ...EVENTS, body: MANY },
  creates: { method: "POST", path: "/v1/agent-runs", body: Buffer.from("{}") },
  reads: { method: "GET", path: `/v1/agent-runs/${LARGE_RUN}/events?limit=1000` },
};

function note(): { readonly eventType: string } {
  return { eventType: "NOTE" };
}

function encode(events: readonly object[]): Buffer {
  return Buffer.from(JSON.stringify({ events }));
}

let stop: (() => Promise<Readonly<Record<number, number>>>) | null = null;

/** Asks again and again, also when it is refused: a flood does not heed `Retry-After`. */
function flood(port: number, what: Request): NonNullable<typeof stop> {
  const agent = new Agent({ keepAlive: true });
  const statuses: Record<number, number> = {};
  let isOver = false;
  const asking = Array.from({ length: AT_ONCE }, async () => {
    while (!isOver) {
      const status = await ask({ port, agent, owner: FLOODER, ...what });
      statuses[status] = (statuses[status] ?? 0) + 1;
    }
  });
  return async () => {
    isOver = true;
    await Promise.all(asking);
    agent.destroy();
    return statuses;
  };
}

/** Opens uploads of lines that do not end, and again those that are refused. */
function upload(port: number): NonNullable<typeof stop> {
  const statuses: Record<number, number> = {};
  const open = new Set<Socket>();
  let isOver = false;
  const line = Buffer.from(`{"eventType":"NOTE","payload":"${"x".repeat(LINE_BYTES)}`);
  const head = `POST ${EVENTS.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${FLOODER}\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n${line.length.toString(16)}\r\n`;
  async function hold(): Promise<void> {
    const socket = connect({ port, host: "127.0.0.1" });
    open.add(socket);
    socket.on("error", () => {});
    socket.once("data", (bytes: Buffer) => {
      const status = Number(bytes.toString("latin1", 9, 12));
      statuses[status] = (statuses[status] ?? 0) + 1;
      socket.destroy();
    });
    socket.write(head);
    socket.write(line);
    await once(socket, "close").catch(() => {});
    open.delete(socket);
  }
  const uploading = Array.from({ length: UPLOADS }, async () => {
    while (!isOver) await hold();
  });
  return async () => {
    isOver = true;
    for (const socket of open) socket.destroy();
    await Promise.all(uploading);
    return statuses;
  };
}

serveParent<FloodLoader>({
  async start({ port, kind }) {
    stop = kind === "uploads" ? upload(port) : flood(port, REQUESTS[kind]);
  },
  async stop() {
    return (await stop?.()) ?? {};
  },
});
