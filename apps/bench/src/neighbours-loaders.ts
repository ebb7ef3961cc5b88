import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { connect, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { runSubject, serveParent } from "./child.ts";
import {
  FLOODER,
  type FloodKind,
  type FloodLoader,
  LARGE_RUN,
  QUIET_OWNERS,
  type QuietLoader,
} from "./neighbours-load.ts";
import { sampleEvent } from "./sample-event.ts";

/** One request with a body of JSON, or none. */
interface Ask {
  readonly port: number;
  readonly agent: Agent;
  readonly owner: string;
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: Uint8Array;
}

/** Asks and reads the answer to its end. @returns its status; 0 if the connection was cut */
async function ask({ port, agent, owner, method, path, body }: Ask): Promise<number> {
  const headers = {
    authorization: `Bearer ${owner}`,
    ...(body === undefined
      ? {}
      : { "content-type": "application/json", "content-length": body.length }),
  };
  const outgoing = request({ host: "127.0.0.1", port, agent, method, path, headers });
  outgoing.end(body);
  try {
    const [response] = (await once(outgoing, "response")) as [IncomingMessage];
    outgoing.on("error", ignore);
    response.resume();
    await once(response, "end");
    return response.statusCode ?? 0;
  } catch {
    return 0;
  }
}

function ignore(): void {}

/** How long an owner waits between two appends, in milliseconds. */
const PACE_MS = 20;
const BODY = Buffer.from(JSON.stringify({ events: [sampleEvent(400)] }));

function serveQuiet(): void {
  serveParent<QuietLoader>({
    async append({ port, millis }) {
      const agent = new Agent({ keepAlive: true });
      const endsAt = performance.now() + millis;
      const tookMs: number[] = [];
      await Promise.all(
        QUIET_OWNERS.map(async (owner, at) => {
          await pause((PACE_MS / QUIET_OWNERS.length) * at);
          while (performance.now() < endsAt) {
            const startedAt = performance.now();
            const path = `/v1/agent-runs/${owner}/events`;
            const status = await ask({ port, agent, owner, method: "POST", path, body: BODY });
            if (status !== 201) throw new Error(`A quiet owner's append was answered ${status}.`);
            tookMs.push(performance.now() - startedAt);
            await pause(PACE_MS);
          }
        }),
      );
      agent.destroy();
      return tookMs;
    },
  });
}

/** How many requests are in flight at any time. */
const AT_ONCE = 32;
const UPLOADS = 300;
/**
 * Of an upload's line that does not end, in bytes: as many uploads as a user may have fill what that user's bodies may take. More
 * would fill the memory that the system has for the sockets of both ends, and all connections with it.
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

/** Asks again and again, even when it is refused: a flood ignores `Retry-After`. */
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

function serveFlood(): void {
  serveParent<FloodLoader>({
    async start({ port, kind }) {
      stop = kind === "uploads" ? upload(port) : flood(port, REQUESTS[kind]);
    },
    async stop() {
      return (await stop?.()) ?? {};
    },
  });
}

await runSubject({ quiet: serveQuiet, flood: serveFlood });
