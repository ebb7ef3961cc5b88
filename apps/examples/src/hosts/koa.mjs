import { createServer } from "node:http";
import { DatabaseSync } from "node:sqlite";
import { bodyParser } from "@koa/bodyparser";
import { createRunEvents } from "@tm/run-events-core";
import { createNodeHandler } from "@tm/run-events-http/node";
import { createSqliteStore } from "@tm/run-events-sqlite";
import Koa from "koa";
import { allowedOrigins, identify, signIn } from "./own.mjs";

const { DATABASE = "runs.db", PORT = 8080 } = process.env;
const store = createSqliteStore(new DatabaseSync(DATABASE));
await store.migrate();
const runs = createRunEvents({ store });
const authenticate = ({ headers }, wanted) => identify(headers, wanted);
const handler = createNodeHandler({ runs, authenticate, allowedOrigins });

const app = new Koa();
// Before the body parser, which leaves nothing to read.
app.use((context, next) => {
  if (!/^\/v1\/(agent-runs|errors)/.test(context.path)) return next();
  context.respond = false; // The handler answers, not Koa.
  return handler.handle(context.req, context.res);
});
app.use(bodyParser());
app.use((context) => {
  if (context.path === "/echo") context.body = context.request.body;
  if (context.path !== "/session") return;
  const headers = signIn(context.headers);
  context.status = headers ? 204 : 401;
  context.set(headers ?? {});
});
// Lines may be appended for hours, so a request as a whole has no time limit.
const server = createServer({ requestTimeout: 0 }, app.callback()).listen(PORT, () =>
  console.log(`listening on http://localhost:${server.address().port}`),
);
async function shutDown() {
  server.close();
  server.maxRequestsPerSocket = 1; // Later requests are the last of their connections.
  await handler.drain(5_000);
  server.closeIdleConnections();
  await runs.close();
}
process.once("SIGTERM", () => void shutDown());
