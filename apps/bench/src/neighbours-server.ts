import { createServer } from "node:http";
import { createNodeHandler } from "@tm/run-events-http/node";
import { serveParent } from "./child.ts";
import { listen } from "./listen.ts";
import { FLOODER, LARGE_RUN, type NeighboursServer, QUIET_OWNERS } from "./neighbours-load.ts";
import { countEvents, createLog } from "./sqlite-log.ts";

/** A page of 4 MiB, in events of 64 KiB. */
const LARGE_EVENTS = 64;
const LARGE_EVENT_BYTES = 65_000;

const { database, runs } = await createLog(process.argv[2] ?? "");
for (const owner of [FLOODER, ...QUIET_OWNERS]) await runs.create({ ownerId: owner, runId: owner });
await runs.create({ ownerId: FLOODER, runId: LARGE_RUN });
for (let at = 0; at < LARGE_EVENTS; at++)
  await runs
    .as(FLOODER)
    .append(LARGE_RUN, [{ eventType: "LARGE", payload: "x".repeat(LARGE_EVENT_BYTES) }]);

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

serveParent<NeighboursServer>({
  listen: () => listen(server),
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
  count: () => countEvents(database),
});
