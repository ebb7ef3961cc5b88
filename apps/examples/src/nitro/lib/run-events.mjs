import { DatabaseSync } from "node:sqlite";
import { createRunEvents } from "@tm/run-events-core";
import { createHandler } from "@tm/run-events-http";
import { createSqliteStore } from "@tm/run-events-sqlite";
import { allowedOrigins, identify } from "../../hosts/own.mjs";

const store = createSqliteStore(new DatabaseSync(process.env.DATABASE ?? "runs.db"));
await store.migrate();
export const runs = createRunEvents({ store });
const authenticate = (request, wanted) => identify(Object.fromEntries(request.headers), wanted);
export const handler = createHandler({ runs, authenticate, allowedOrigins });
