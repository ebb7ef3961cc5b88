import { once } from "node:events";
import { DatabaseSync } from "node:sqlite";
import { Ignitor } from "@adonisjs/core";
import { defineConfig as defineBodyParser } from "@adonisjs/core/bodyparser";
import { defineConfig as defineEncryption, drivers } from "@adonisjs/core/encryption";
import { defineConfig as defineHttp } from "@adonisjs/core/http";
import { createRunEvents } from "@tm/run-events-core";
import { createNodeHandler } from "@tm/run-events-http/node";
import { createSqliteStore } from "@tm/run-events-sqlite";
import { allowedOrigins, identify, signIn } from "./own.mjs";

const store = createSqliteStore(new DatabaseSync(process.env.DATABASE ?? "runs.db"));
await store.migrate();
const runs = createRunEvents({ store });
const authenticate = ({ headers }, wanted) => identify(headers, wanted);
const handler = createNodeHandler({ runs, authenticate, allowedOrigins });

/** A middleware of the server, before that of the router: the body parser would leave nothing to read. */
class RunEventsMiddleware {
  async handle({ request: { request }, response: { response } }, next) {
    if (!/^\/v1\/(agent-runs|errors)/.test(request.url)) return next();
    handler.handle(request, response);
    await once(response, "close"); // Adonis would end the answer when this returns.
  }
}
async function addRoutes(app) {
  const [server, router] = [await app.container.make("server"), await app.container.make("router")];
  server.use([async () => ({ default: RunEventsMiddleware })]);
  router.use([() => import("@adonisjs/core/bodyparser_middleware")]);
  router.post("/echo", ({ request }) => request.body());
  router.post("/session", ({ request, response }) => {
    const headers = signIn(request.headers());
    for (const [name, value] of Object.entries(headers ?? {})) response.header(name, value);
    response.status(headers ? 204 : 401).send(null);
  });
}
const KEY = { id: "gcm", keys: [process.env.APP_KEY ?? "change me, 32 characters at least"] };
process.env.HOST ??= "localhost";
process.env.PORT ??= "8080";
const ignitor = new Ignitor(new URL("./", import.meta.url), { importer: (path) => import(path) });
ignitor.tap((app) => {
  app.rcContents({ providers: [() => import("@adonisjs/core/providers/app_provider")] });
  app.useConfig({
    app: { http: defineHttp({}) },
    bodyparser: defineBodyParser({}),
    encryption: defineEncryption({ default: "gcm", list: { gcm: drivers.aes256gcm(KEY) } }),
    logger: { default: "app", loggers: { app: {} } },
  });
  void app.booted(() => addRoutes(app));
  // Before Adonis closes its server, which waits for the streams.
  app.listen("SIGTERM", () => void handler.drain(5_000).then(() => app.terminate()));
  app.terminating(() => runs.close());
});
await ignitor.httpServer().start();
const server = (await ignitor.getApp().container.make("server")).getNodeServer();
server.requestTimeout = 0; // Lines may be appended for hours.
console.log(`listening on http://localhost:${server.address().port}`);
