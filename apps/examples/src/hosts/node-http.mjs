import { createServer } from "node:http";
import { DatabaseSync } from "node:sqlite";
import { json } from "node:stream/consumers";
import { createRunEvents } from "@tm/run-events-core";
import { createNodeHandler } from "@tm/run-events-http/node";
import { createSqliteStore } from "@tm/run-events-sqlite";
import { allowedOrigins, identify, signIn } from "./own.mjs";

const { DATABASE = "runs.db", PORT = 8080 } = process.env;
const store = createSqliteStore(new DatabaseSync(DATABASE));
await store.migrate();
const runs = createRunEvents({ store });
const authenticate = ({ headers }, wanted) => identify(headers, wanted);
const handler = createNodeHandler({ runs, authenticate, allowedOrigins });

async function answer(request, response) {
  if (/^\/v1\/(agent-runs|errors)/.test(request.url)) return handler.handle(request, response);
  if (request.url === "/echo") return response.end(JSON.stringify(await json(request)));
  if (request.url !== "/session") return response.writeHead(404).end();
  const headers = signIn(request.headers);
  return response.writeHead(headers ? 204 : 401, headers ?? {}).end();
}
// Lines may be appended for hours, so a request as a whole has no time limit.
const server = createServer({ requestTimeout: 0 }, (...both) => void answer(...both)).listen(
  PORT,
  () => console.log(`listening on http://localhost:${server.address().port}`),
);
async function shutDown() {
  server.close();
  server.maxRequestsPerSocket = 1; // Later requests are the last of their connections.
  await handler.drain(5_000);
  server.closeIdleConnections();
  await runs.close();
}
process.once("SIGTERM", () => void shutDown());
