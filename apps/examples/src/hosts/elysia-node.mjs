import { DatabaseSync } from "node:sqlite";
import { node } from "@elysiajs/node";
import { createRunEvents } from "@tm/run-events-core";
import { createHandler } from "@tm/run-events-http";
import { createSqliteStore } from "@tm/run-events-sqlite";
import { Elysia } from "elysia";
import { allowedOrigins, answerOwn, identify } from "./own.mjs";

const { DATABASE = "runs.db", PORT = 8080 } = process.env;
const store = createSqliteStore(new DatabaseSync(DATABASE));
await store.migrate();
const runs = createRunEvents({ store });
const authenticate = (request, wanted) => identify(Object.fromEntries(request.headers), wanted);
const handler = createHandler({ runs, authenticate, allowedOrigins });

const answer = ({ request }) => handler.fetch(request);
const unread = { parse: "none" }; // A parser would leave nothing to read.
new Elysia({ adapter: node() })
  .all("/v1/agent-runs", answer, unread)
  .all("/v1/agent-runs/*", answer, unread)
  .all("/v1/errors/*", answer, unread)
  .post("/echo", ({ body }) => body)
  .post("/session", ({ request }) => answerOwn(request), unread)
  .listen({ port: PORT, node: { requestTimeout: 0 } }, start); // Lines may be appended for hours.

async function start({ raw: server }) {
  await server.ready();
  console.log(`listening on http://localhost:${new URL(server.url).port}`);
  process.once("SIGTERM", () => void shutDown(server));
}
async function shutDown(server) {
  await handler.drain(5_000);
  await server.close();
  await runs.close();
}
