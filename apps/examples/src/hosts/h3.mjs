import { DatabaseSync } from "node:sqlite";
import { createRunEvents } from "@tm/run-events-core";
import { createHandler } from "@tm/run-events-http";
import { createSqliteStore } from "@tm/run-events-sqlite";
import { H3, serve } from "h3";
import { allowedOrigins, identify, signIn } from "./own.mjs";

const { DATABASE = "runs.db", PORT = 8080 } = process.env;
const store = createSqliteStore(new DatabaseSync(DATABASE));
await store.migrate();
const runs = createRunEvents({ store });
const authenticate = (request, wanted) => identify(Object.fromEntries(request.headers), wanted);
const handler = createHandler({ runs, authenticate, allowedOrigins });

const app = new H3();
const answer = ({ req }) => handler.fetch(req);
app.all("/v1/agent-runs", answer).all("/v1/agent-runs/**", answer).all("/v1/errors/**", answer);
app.post("/echo", ({ req }) => req.json());
app.post("/session", ({ req }) => {
  const headers = signIn(Object.fromEntries(req.headers));
  return new Response(null, { status: headers ? 204 : 401, headers: headers ?? {} });
});

// Lines may be appended for hours, so a request as a whole has no time limit.
const node = { requestTimeout: 0 };
const server = serve(app, { port: PORT, node, silent: true, gracefulShutdown: false });
await server.ready();
console.log(`listening on http://localhost:${new URL(server.url).port}`);
async function shutDown() {
  const closed = server.close();
  await handler.drain(5_000);
  await closed;
  await runs.close();
}
process.once("SIGTERM", () => void shutDown());
