import { Database } from "bun:sqlite";
import { createRunEvents } from "@tm/run-events-core";
import { createHandler } from "@tm/run-events-http";
import { createSqliteStore } from "@tm/run-events-sqlite";
import { allowedOrigins, answerOwn, identify } from "./own.mjs";

const { DATABASE = "runs.db", PORT = 8080 } = process.env;
const store = createSqliteStore(new Database(DATABASE));
await store.migrate();
const runs = createRunEvents({ store });
const authenticate = (request, wanted) => identify(Object.fromEntries(request.headers), wanted);
const handler = createHandler({ runs, authenticate, allowedOrigins });

const server = Bun.serve({
  port: PORT,
  idleTimeout: 60, // seconds. The default of 10 cuts streams, held polls and uploads that are quiet.
  fetch(request) {
    const isRuns = /^\/v1\/(agent-runs|errors)/.test(new URL(request.url).pathname);
    return isRuns ? handler.fetch(request) : answerOwn(request);
  },
});
console.log(`listening on http://localhost:${server.port}`);

async function shutDown() {
  await handler.drain(5_000);
  await server.stop();
  await runs.close();
}
process.once("SIGTERM", () => void shutDown());
