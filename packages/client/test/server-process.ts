import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { DatabaseSync } from "node:sqlite";
import { createMemoryStore, createRunEvents } from "@tm/run-events-core";
import type { RunEventStore } from "@tm/run-events-core/store";
import { createNodeHandler } from "@tm/run-events-http/node";
import { createSqliteStore } from "@tm/run-events-sqlite";

// A server of a SQLite file, or in memory, which knows `Bearer ada`, her cookie `session=ada`, and `Bearer bob`. It sends its
// port to its parent.
// This also detects a parent that ended before this line.
process.on("disconnect", () => process.exit());
if (!process.connected) process.exit();

const [port = "0", file] = process.argv.slice(2);
const handler = createNodeHandler({
  runs: createRunEvents({ store: await openStore() }),
  authenticate({ headers }) {
    if (headers.cookie === "session=ada") return { userId: "ada", credential: "session" };
    if (headers.authorization === "Bearer ada") return { userId: "ada", credential: "bearer" };
    if (headers.authorization === "Bearer bob") return { userId: "bob", credential: "bearer" };
    return null;
  },
  maxStreamsPerUser: 1_000,
});
const server = createServer((request, response) => handler.handle(request, response));
server.listen(Number(port), "127.0.0.1", () =>
  process.send?.((server.address() as AddressInfo).port),
);

async function openStore(): Promise<RunEventStore> {
  if (file === undefined) return createMemoryStore();
  const store = createSqliteStore(new DatabaseSync(file));
  await store.migrate();
  return store;
}
