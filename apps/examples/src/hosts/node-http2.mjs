import { createServer } from "node:http2";
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
// Without TLS (h2c), for a proxy in front. Browsers need `createSecureServer`.
const server = createServer((...both) => void answer(...both)).listen(PORT, () =>
  console.log(`listening on http://localhost:${server.address().port}`),
);
const sessions = new Set();
server.on("session", (session) => {
  sessions.add(session);
  session.once("close", () => sessions.delete(session));
});
async function shutDown() {
  server.close();
  await handler.drain(5_000);
  for (const session of sessions) session.close(); // once its answers have gone out
  await runs.close();
}
process.once("SIGTERM", () => void shutDown());
