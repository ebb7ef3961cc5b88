import { createServer } from "node:http";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import Database from "better-sqlite3";
import { createMemoryStore, createRunEvents } from "@tm/run-events-core";
import type { RunEventStore } from "@tm/run-events-core/store";
import { createNodeHandler } from "@tm/run-events-http/node";
import { createSqliteStore } from "@tm/run-events-sqlite";
import { serveParent } from "./child.ts";
import { listen } from "./listen.ts";
import { sampleEvent } from "./sample-event.ts";
import { STALLED_RUN, type StalledServer, WARM_RUN } from "./stalled-server.ts";

const SAMPLE_MS = 20;

const ownerId = "reader";
const runs = createRunEvents({ store: await openStore(process.argv[2]) });
for (const runId of [WARM_RUN, STALLED_RUN]) await runs.create({ runId, ownerId });
const handler = createNodeHandler({
  runs,
  authenticate: () => ({ userId: ownerId, credential: "session" }),
  maxStreamsPerUser: Number.POSITIVE_INFINITY,
  // As it is by default a stalled stream would be ended, and its memory free, before the end of a slow run.
  stallMs: 3_600_000,
});
setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

let peak = process.memoryUsage.rss();
setInterval(() => {
  peak = Math.max(peak, process.memoryUsage.rss());
}, SAMPLE_MS);

/** SQLite in this file, or the memory store without one. */
async function openStore(file: string | undefined): Promise<RunEventStore> {
  if (file === undefined) return createMemoryStore();
  const store = createSqliteStore(new Database(file));
  await store.migrate();
  return store;
}

const server = createServer((request, response) => handler.handle(request, response));

serveParent<StalledServer>({
  listen: () => listen(server),
  async append({ runId, events, batch, eventBytes }) {
    const event = sampleEvent(eventBytes);
    for (let appended = 0; appended < events; appended += batch) {
      await runs.append(
        runId,
        Array.from({ length: Math.min(batch, events - appended) }, () => event),
      );
    }
  },
  memory() {
    const now = process.memoryUsage.rss();
    const reached = Math.max(peak, now);
    peak = now;
    return { now, peak: reached };
  },
  inUse() {
    // Twice: what the first one finalizes may hold on to more.
    collectGarbage();
    collectGarbage();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  },
  open: () => handler.stats().streams.open,
});
