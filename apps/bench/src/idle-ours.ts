import { createServer } from "node:http";
import { createMemoryStore, createRunEvents } from "@tm/run-events-core";
import { createNodeHandler } from "@tm/run-events-http/node";
import { OWNER, runIdOf } from "./append-writer.ts";
import { serveIdle } from "./idle-server.ts";

const [, , runCount = ""] = process.argv;
const runs = createRunEvents({ store: createMemoryStore() });
for (let index = 0; index < Number(runCount); index++) {
  await runs.create({ ownerId: OWNER, runId: runIdOf(index) });
}
const handler = createNodeHandler({
  runs,
  authenticate: () => ({ userId: OWNER, credential: "session" }),
  maxStreamsPerUser: Number.POSITIVE_INFINITY,
});
const server = createServer((request, response) => handler.handle(request, response));

serveIdle(server, () => handler.stats().streams.open);
