import { promisify } from "node:util";
import compress from "@fastify/compress";
import cookie from "@fastify/cookie";
import cors from "@fastify/cors";
import helmet from "@fastify/helmet";
import session from "@fastify/session";
import { createRunEvents } from "@tm/run-events-core";
import { createNodeHandler } from "@tm/run-events-http/node";
import { createSqliteStore } from "@tm/run-events-sqlite";
import Database from "better-sqlite3";
import fastify from "fastify";

const { DATABASE = "runs.db", PORT = 8080 } = process.env;
const { SESSION_SECRET: secret = "change me, 32 characters at least" } = process.env;
const allowedOrigins = ["https://app.example"]; // other origins whose pages may use the session
const users = new Map([["a-token-of-ada", "ada"]]).set("a-token-of-bob", "bob");
const tokenOf = ({ headers }) => /^bearer +(\S+)$/i.exec(headers.authorization ?? "")?.[1];
// Called again while a stream is open: the session store knows who has signed out, `request.session` does not.
const signedIn = async ({ sessionStore, session }) =>
  (await promisify(sessionStore.get).call(sessionStore, session.sessionId))?.userId;
const requests = new WeakMap(); // Fastify's, by node's
async function authenticate(request, wanted) {
  const token = tokenOf(request);
  const userId = wanted === "session" || !token ? await signedIn(requests.get(request)) : undefined;
  if (userId) return { userId, credential: "session" };
  return users.has(token) ? { userId: users.get(token), credential: "bearer" } : null;
}

const store = createSqliteStore(new Database(DATABASE));
await store.migrate();
const runs = createRunEvents({ store });
const handler = createNodeHandler({ runs, authenticate, allowedOrigins, onError: console.error });
// An EventSource gives up at a 503. Connections that are kept for 72 s, as by default, delay the exit.
const app = fastify({ return503OnClosing: false, keepAliveTimeout: 5_000 });
const methods = ["GET", "HEAD", "POST", "PUT", "DELETE"]; // By default it lets pages send the first three.
await app.register(helmet).register(cors, { origin: allowedOrigins, methods, credentials: true });
await app.register(compress); // before any route
const options = { sameSite: "lax", secure: "auto" };
await app.register(cookie).register(session, { secret, cookie: options, saveUninitialized: false });
app.register(async (scope) => {
  scope.removeAllContentTypeParsers(); // they would leave nothing to read
  scope.addContentTypeParser("*", (_request, _body, done) => done(null));
  scope.all("/v1/*", (request, reply) => {
    requests.set(request.raw, request);
    reply.hijack(); // Fastify does not send the answer, nor the headers of `reply.header`.
    handler.handle(request.raw, reply.raw);
  });
});
app.post("/echo", ({ body }) => body);
app.post("/session", async (request, reply) => {
  const userId = users.get(tokenOf(request));
  if (userId) await request.session.regenerate(); // An attacker may have set it.
  if (userId) request.session.userId = userId;
  return reply.code(userId ? 204 : 401).send();
});
app.delete("/session", ({ session }) => session.destroy());
app.addHook("preClose", () => handler.drain(5_000)).addHook("onClose", () => runs.close());
process.once("SIGTERM", () => void app.close());
console.log("listening on", await app.listen({ port: PORT }));
