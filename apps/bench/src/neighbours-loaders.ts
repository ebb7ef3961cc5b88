import { Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { Agent, type Dispatcher } from "undici";
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

/** A connection for each request that is under way, and no time-out: a server that is flooded may take long. */
const dispatcher = new Agent({ headersTimeout: 0, bodyTimeout: 0 });

type Request = Pick<Dispatcher.RequestOptions, "method" | "path" | "body"> & {
  readonly type?: string;
  readonly signal?: AbortSignal;
};

/** Asks and reads the answer to its end. @returns its status */
async function ask(port: number, owner: string, { type, ...request }: Request): Promise<number> {
  const headers = {
    authorization: `Bearer ${owner}`,
    ...(request.method === "POST" && { "content-type": type ?? "application/json" }),
  };
  const options = { origin: `http://127.0.0.1:${port}`, headers, ...request };
  const { statusCode, body } = await dispatcher.request(options);
  await body.dump({ limit: Number.POSITIVE_INFINITY });
  return statusCode;
}

function eventsOf(runId: string): Pick<Request, "method" | "path"> {
  return { method: "POST", path: `/v1/agent-runs/${runId}/events` };
}

/** The time that an owner waits between two appends, in milliseconds. */
const PACE_MS = 20;
const BODY = JSON.stringify({ events: [sampleEvent(400)] });

function serveQuiet(): void {
  serveParent<QuietLoader>({
    async append({ port, millis }) {
      const endsAt = performance.now() + millis;
      const tookMs: number[] = [];
      await Promise.all(
        QUIET_OWNERS.map(async (owner, at) => {
          await pause((PACE_MS / QUIET_OWNERS.length) * at);
          while (performance.now() < endsAt) {
            const startedAt = performance.now();
            const status = await ask(port, owner, { ...eventsOf(owner), body: BODY });
            if (status !== 201) throw new Error(`A quiet owner's append was answered ${status}.`);
            tookMs.push(performance.now() - startedAt);
            await pause(PACE_MS);
          }
        }),
      );
      return tookMs;
    },
  });
}

/** The number of requests that are in flight at any time. */
const AT_ONCE = 32;
const UPLOADS = 300;
/**
 * The bytes of a line that does not end, so that as many uploads as a user may have fill the user's bound of bodies. More
 * would fill the memory that the system has for the sockets of both ends, and all connections with it.
 */
const LINE_BYTES = 260_000;

const LARGE = encode(Array.from({ length: 16 }, () => noteOf("x".repeat(250_000))));
const MANY = encode(Array.from({ length: 1_000 }, () => noteOf(null)));
const LINE = Buffer.from(`{"eventType":"NOTE","payload":"${"x".repeat(LINE_BYTES)}`);

const REQUESTS: Readonly<Record<FloodKind, (over: AbortSignal) => Request>> = {
  bodies: () => ({ ...eventsOf(FLOODER), body: LARGE }),
  batches: () => ({ ...eventsOf(FLOODER), body: MANY }),
  creates: () => ({ method: "POST", path: "/v1/agent-runs", body: "{}" }),
  reads: () => ({ method: "GET", path: `/v1/agent-runs/${LARGE_RUN}/events?limit=1000` }),
  uploads: (over) => ({
    ...eventsOf(FLOODER),
    type: "application/x-ndjson",
    body: openEnded(LINE),
    signal: over,
  }),
};

/** A body that does not end. */
function openEnded(bytes: Buffer): Readable {
  const body = new Readable({ read() {} });
  body.push(bytes);
  return body;
}

function noteOf(payload: string | null): object {
  return { eventType: "NOTE", payload };
}

function encode(events: readonly object[]): Buffer {
  return Buffer.from(JSON.stringify({ events }));
}

/** Asks again and again, even when it is refused: a flood ignores `Retry-After`. */
async function flood(port: number, kind: FloodKind, over: AbortSignal): Promise<void> {
  const count = kind === "uploads" ? UPLOADS : AT_ONCE;
  await Promise.all(
    Array.from({ length: count }, async () => {
      while (!over.aborted) {
        const request = REQUESTS[kind](over);
        await ask(port, FLOODER, request).catch(() => {});
        // A refused upload goes on otherwise.
        if (request.body instanceof Readable) request.body.destroy();
      }
    }),
  );
}

function serveFlood(): void {
  let over = new AbortController();
  let flooding = Promise.resolve();
  serveParent<FloodLoader>({
    start({ port, kind }) {
      over = new AbortController();
      flooding = flood(port, kind, over.signal);
    },
    async stop() {
      over.abort();
      await flooding;
    },
  });
}

await runSubject({ quiet: serveQuiet, flood: serveFlood });
