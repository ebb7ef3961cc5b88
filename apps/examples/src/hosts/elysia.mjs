import { Database } from "bun:sqlite";
import { createRunEvents } from "@tm/run-events-core";
import { createHandler } from "@tm/run-events-http";
import { createSqliteStore } from "@tm/run-events-sqlite";
import { Elysia } from "elysia";
import { allowedOrigins, answerOwn, identify } from "./own.mjs";

const { DATABASE = "runs.db", PORT = 8080 } = process.env;
const store = createSqliteStore(new Database(DATABASE));
await store.migrate();
const runs = createRunEvents({ store });
const authenticate = (request, wanted) => identify(Object.fromEntries(request.headers), wanted);
const handler = createHandler({ runs, authenticate, allowedOrigins });

const answer = ({ request }) => handler.fetch(request);
const unread = { parse: "none" }; // A parser would leave nothing to read.
const app = new Elysia({ serve: { idleTimeout: 60 } }) // seconds. Bun's 10 would cut quiet streams.
  .all("/v1/agent-runs", answer, unread)
  .all("/v1/agent-runs/*", answer, unread)
  .all("/v1/errors/*", answer, unread)
  .post("/echo", ({ body }) => body)
  .post("/session", ({ request }) => answerOwn(request), unread)
  .listen(PORT, ({ port }) => console.log(`listening on http://localhost:${port}`));

async function shutDown() {
  await handler.drain(5_000);
  await app.stop();
  await runs.close();
}
process.once("SIGTERM", () => void shutDown());
