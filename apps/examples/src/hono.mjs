import { randomUUID } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { serve } from "@hono/node-server";
import { createRunEvents } from "@tm/run-events-core";
import { createHandler } from "@tm/run-events-http";
import { createSqliteStore } from "@tm/run-events-sqlite";
import { Hono } from "hono";
import { compress } from "hono/compress";
import { setSignedCookie } from "hono/cookie";
import { cors } from "hono/cors";
import { secureHeaders } from "hono/secure-headers";
import { parseSigned } from "hono/utils/cookie";

const { DATABASE = "runs.db", PORT = "8080", SESSION_SECRET: secret = "change me" } = process.env;
const allowedOrigins = ["https://app.example"]; // other origins whose pages may use the session
const users = new Map([["a-token-of-ada", "ada"]]).set("a-token-of-bob", "bob");
const sessions = new Map(); // their users
const tokenOf = ({ headers }) => /^bearer +(\S+)$/i.exec(headers.get("authorization") ?? "")?.[1];
const sessionOf = async ({ headers }) =>
  (await parseSigned(headers.get("cookie") ?? "", secret, "session")).session;

// Called again while a stream is open, which ends when its user has signed out.
async function authenticate(request, wanted) {
  const token = tokenOf(request);
  const id = wanted === "session" || !token ? await sessionOf(request) : undefined;
  if (sessions.has(id)) return { userId: sessions.get(id), credential: "session" };
  return users.has(token) ? { userId: users.get(token), credential: "bearer" } : null;
}

const store = createSqliteStore(new DatabaseSync(DATABASE));
await store.migrate();
const runs = createRunEvents({ store });
const handler = createHandler({ runs, authenticate, allowedOrigins, onError: console.error });

const app = new Hono();
app.use(secureHeaders(), cors({ origin: allowedOrigins, credentials: true }), compress());
app.all("/v1/:part{agent-runs|errors}/*", ({ req }) => handler.fetch(req.raw));
app.post("/echo", async (context) => context.json(await context.req.json()));
app.post("/session", async (context) => {
  const id = randomUUID();
  const userId = users.get(tokenOf(context.req.raw));
  if (!userId) return context.body(null, 401);
  sessions.set(id, userId);
  await setSignedCookie(context, "session", id, secret, { httpOnly: true, sameSite: "Lax" });
  return context.body(null, 204);
});
app.delete("/session", async ({ json, req }) => json(sessions.delete(await sessionOf(req.raw))));

// Lines may be appended for hours, so a request as a whole has no time limit.
const options = { fetch: app.fetch, port: PORT, serverOptions: { requestTimeout: 0 } };
const server = serve(options, ({ port }) => console.log(`listening on http://localhost:${port}`));
async function shutDown() {
  server.close();
  server.maxRequestsPerSocket = 1; // Later requests are the last of their connections.
  await handler.drain(5_000);
  setInterval(() => server.closeIdleConnections(), 100).unref(); // A body's end takes a moment to go out.
  await runs.close();
}
process.once("SIGTERM", () => void shutDown());
