import { createServer } from "node:http";
import { createRunEvents } from "@tm/run-events-core";
import { createNodeHandler } from "@tm/run-events-http/node";
import { FLOODER, LARGE_RUN, QUIET_OWNERS } from "./neighbours-load.ts";
import { openStore } from "./stores.ts";
import { serveTested } from "./tested-server.ts";

/** A page of 4 MiB, in events of 64 KiB. */
const LARGE_EVENTS = 64;
const LARGE_EVENT_BYTES = 65_000;

const runs = createRunEvents({ store: await openStore("sqlite", process.argv[2] ?? "") });
for (const owner of [FLOODER, ...QUIET_OWNERS]) await runs.create({ ownerId: owner, runId: owner });
await runs.create({ ownerId: FLOODER, runId: LARGE_RUN });
for (let at = 0; at < LARGE_EVENTS; at++)
  await runs.append(LARGE_RUN, [{ eventType: "LARGE", payload: "x".repeat(LARGE_EVENT_BYTES) }], {
    ownerId: FLOODER,
  });

const handler = createNodeHandler({
  runs,
  authenticate: ({ headers }) => {
    const userId = headers.authorization?.slice("Bearer ".length);
    return userId === undefined ? null : { userId, credential: "bearer" };
  },
});
let worked: number[] = [];
const server = createServer({ requestTimeout: 0 }, (request, response) => {
  if (request.headers.authorization?.startsWith("Bearer quiet-") === true) {
    const before = process.threadCpuUsage();
    response.once("finish", () => {
      const { user, system } = process.threadCpuUsage(before);
      worked.push((user + system) / 1_000);
    });
  }
  handler.handle(request, response);
});
let peak = 0;
setInterval(() => {
  peak = Math.max(peak, process.memoryUsage.rss());
}, 20).unref();

serveTested(server, {
  peak() {
    const seen = Math.max(peak, process.memoryUsage.rss());
    peak = 0;
    return seen;
  },
  worked() {
    const seen = worked;
    worked = [];
    return seen;
  },
});
