import "reflect-metadata";
import { DatabaseSync } from "node:sqlite";
import { Body, Controller, HttpCode, Module, Post } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { FastifyAdapter } from "@nestjs/platform-fastify";
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

// What `@Controller()`, `@Post("echo")` and so on do in TypeScript.
class AppController {
  echo(body) {
    return body;
  }
}
const { prototype } = AppController;
Controller()(AppController);
Reflect.decorate([Post("echo"), HttpCode(200)], prototype, "echo", { value: prototype.echo });
Body()(prototype, "echo", 0);
class RunEventsShutdown {
  beforeApplicationShutdown = () => handler.drain(5_000);
  onApplicationShutdown = () => runs.close();
}
class AppModule {}
Module({ controllers: [AppController], providers: [RunEventsShutdown] })(AppModule);

// An EventSource gives up at a 503. Connections that are kept for 72 s, as by default, delay the exit.
const adapter = new FastifyAdapter({ return503OnClosing: false, keepAliveTimeout: 5_000 });
const app = await NestFactory.create(AppModule, adapter, { logger: ["error"] });
// Before Fastify's parsers, which a controller would come after. Nothing may be mounted at a path, which is cut off.
app.use((request, response, next) => {
  if (/^\/v1\/(agent-runs|errors)/.test(request.url)) handler.handle(request, response);
  else next();
});
app.use("/session", (request, response) => {
  const headers = signIn(request.headers);
  response.writeHead(headers ? 204 : 401, headers ?? {}).end();
});
app.enableShutdownHooks(["SIGTERM"], { useProcessExit: true });
app.getHttpServer().requestTimeout = 0; // Lines may be appended for hours.
await app.listen(PORT);
console.log(`listening on http://localhost:${app.getHttpServer().address().port}`);
