import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { createRunEvents } from "@tm/run-events-core";
import { createNodeHandler } from "@tm/run-events-http/node";
import { OWNER, runIdOf } from "./append-writer.ts";
import { runSubject, serveParent } from "./child.ts";
import { listen } from "./listen.ts";
import { openStore } from "./open-store.ts";
import { type Cost, measure } from "./rounds.ts";
import { sampleEvent } from "./sample-event.ts";

/** The length of an event's JSON, in bytes. */
const EVENT_BYTES = 300;
/** How often runs change, in milliseconds. */
const TICK_MS = 50;

/** What the runs of a dashboard do for a while. */
export interface DashboardLoad {
  /** How many of them change in a second. */
  readonly perSecond: number;
  readonly seconds: number;
}

/** An event, and when its append was acknowledged. */
export interface Appended {
  readonly runId: string;
  readonly sequence: number;
  readonly atMs: number;
}

/** A server that has a page, and live runs. */
export interface DashboardServer {
  /** Listens on a free port and returns it. */
  listen(): Promise<number>;
  /** Makes this many live runs. */
  fill(runs: number): Promise<void>;
  /** Appends an event to one run after the other. @returns what that cost the process with all else that it did, and the events */
  advance(
    load: DashboardLoad,
  ): Promise<{ readonly cost: Cost; readonly appended: readonly Appended[] }>;
  /** Live streams now. */
  streams(): number;
}

async function serve(location = "", script = ""): Promise<void> {
  const runs = createRunEvents({ store: await openStore("sqlite", location) });
  const handler = createNodeHandler({
    runs,
    authenticate: () => ({ userId: OWNER, credential: "session" }),
  });
  const server = createServer((request, response) => {
    if (request.url?.startsWith("/v1/") === true) {
      handler.handle(request, response);
      return;
    }
    response.writeHead(200, { "content-type": "text/html" });
    response.end(`<!doctype html><body><script type="module">${script}</script>`);
  });
  const event = sampleEvent(EVENT_BYTES);
  let count = 0;
  let next = 0;

  async function append(appended: Appended[]): Promise<void> {
    const runId = runIdOf(next++ % count);
    const { lastSequence } = await runs.as(OWNER).append(runId, [event]);
    appended.push({ runId, sequence: lastSequence, atMs: Date.now() });
  }

  serveParent<DashboardServer>({
    listen: () => listen(server),
    async fill(more) {
      for (let index = 0; index < more; index++)
        await runs.create({ runId: runIdOf(index), ownerId: OWNER });
      count = more;
    },
    async advance({ perSecond, seconds }) {
      const appended: Appended[] = [];
      const cost = await measure(perSecond * seconds, async () => {
        const startMs = performance.now();
        for (let done = 0; done < perSecond * seconds;) {
          const due = Math.ceil(((performance.now() - startMs) * perSecond) / 1_000);
          const wave = Math.min(due, perSecond * seconds) - done;
          await Promise.all(Array.from({ length: wave }, () => append(appended)));
          done += wave;
          await sleep(TICK_MS);
        }
      });
      return { cost, appended };
    },
    streams: () => handler.stats().streams.open,
  });
}

await runSubject({ serve });
