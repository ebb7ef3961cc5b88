import { createServer } from "node:http";
import { promisify } from "node:util";
import { createRunEvents } from "@tm/run-events-core";
import { createNodeHandler } from "@tm/run-events-http/node";
import { createSqliteStore } from "@tm/run-events-sqlite";
import Database from "better-sqlite3";
import compression from "compression";
import cors from "cors";
import express from "express";
import session from "express-session";
import helmet from "helmet";

const { DATABASE = "runs.db", PORT = 8080, SESSION_SECRET: secret = "change me" } = process.env;
const allowedOrigins = ["https://app.example"]; // other origins whose pages may use the session
const users = new Map([["a-token-of-ada", "ada"]]).set("a-token-of-bob", "bob");
const tokenOf = ({ headers }) => /^bearer +(\S+)$/i.exec(headers.authorization ?? "")?.[1];

// Called again while a stream is open: the session store knows who has signed out, `request.session` does not.
const signedIn = async ({ sessionStore, sessionID }) =>
  (await promisify(sessionStore.get).call(sessionStore, sessionID))?.userId;
async function authenticate(request, wanted) {
  const token = tokenOf(request);
  const userId = wanted === "session" || !token ? await signedIn(request) : undefined;
  if (userId) return { userId, credential: "session" };
  return users.has(token) ? { userId: users.get(token), credential: "bearer" } : null;
}

const store = createSqliteStore(new Database(DATABASE));
await store.migrate();
const runs = createRunEvents({ store });
const handler = createNodeHandler({ runs, authenticate, allowedOrigins, onError: console.error });

const app = express();
const cookie = { httpOnly: true, sameSite: "lax", secure: "auto" };
app.use(helmet(), cors({ origin: allowedOrigins, credentials: true }), compression());
app.use(session({ cookie, secret, resave: false, saveUninitialized: false }));
// Before the body parser, which leaves nothing to read.
app.all(/^\/v1\/(agent-runs|errors)/, (request, response) => handler.handle(request, response));
app.use(express.json());
app.post("/echo", ({ body }, response) => response.json(body));
app.post("/session", async (request, response) => {
  const userId = users.get(tokenOf(request));
  if (userId) await promisify(request.session.regenerate).call(request.session); // An attacker may have set it.
  if (userId) request.session.userId = userId;
  response.sendStatus(userId ? 204 : 401);
});
app.delete("/session", ({ session }, response) => session.destroy(() => response.sendStatus(204)));
// Lines may be appended for hours, so a request as a whole has no time limit.
const server = createServer({ requestTimeout: 0 }, app).listen(PORT, () =>
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
