import { DatabaseSync } from "node:sqlite";
import { createRunEvents } from "@tm/run-events-core";
import { createHandler } from "@tm/run-events-http";
import { createSqliteStore } from "@tm/run-events-sqlite";
import { allowedOrigins, answerOwn, identify } from "./own.mjs";

const store = createSqliteStore(new DatabaseSync(Deno.env.get("DATABASE") ?? "runs.db"));
await store.migrate();
const runs = createRunEvents({ store });
const authenticate = (request, wanted) => identify(Object.fromEntries(request.headers), wanted);
const handler = createHandler({ runs, authenticate, allowedOrigins });

const server = Deno.serve(
  {
    port: Number(Deno.env.get("PORT") ?? 8080),
    onListen: ({ port }) => console.log(`listening on http://localhost:${port}`),
  },
  (request) => {
    const isRuns = /^\/v1\/(agent-runs|errors)/.test(new URL(request.url).pathname);
    return isRuns ? handler.fetch(request) : answerOwn(request);
  },
);
Deno.addSignalListener("SIGTERM", async () => {
  await handler.drain(5_000);
  await server.shutdown();
  await runs.close();
  Deno.exit();
});
