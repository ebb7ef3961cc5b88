import { createRunEvents } from "@tm/run-events-core";
import { createHandler } from "@tm/run-events-http";
import { createSqliteStore } from "@tm/run-events-sqlite";
import Database from "better-sqlite3";
import { authenticate } from "./sessions.js";

const allowedOrigins = ["https://app.example"]; // other origins whose pages may use the session
async function open() {
  const store = createSqliteStore(new Database(process.env.DATABASE ?? "runs.db"));
  await store.migrate();
  const runs = createRunEvents({ store });
  const handler = createHandler({ runs, authenticate, allowedOrigins, onError: console.error });
  process.once("SIGTERM", () => void handler.drain(5_000)); // Next.js waits for the answers under way.
  return { runs, handler };
}

// At the first request, since `next build` loads this too; once, even if several bundles and reloads have this file.
export const openRunEvents = () =>
  (globalThis.runEvents ??= open().catch((error) => {
    globalThis.runEvents = undefined; // The next request tries again.
    throw error;
  }));
