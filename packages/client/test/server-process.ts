import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createMemoryStore, createRunEvents } from "@tm/run-events-core";
import { createNodeHandler } from "@tm/run-events-http/node";

// A server in memory, which knows `Bearer ada`, her cookie `session=ada`, and `Bearer bob`. It tells its parent the port.
const handler = createNodeHandler({
  runs: createRunEvents({ store: createMemoryStore() }),
  authenticate({ headers }) {
    if (headers.cookie === "session=ada") return { userId: "ada", credential: "session" };
    if (headers.authorization === "Bearer ada") return { userId: "ada", credential: "bearer" };
    if (headers.authorization === "Bearer bob") return { userId: "bob", credential: "bearer" };
    return null;
  },
  maxStreamsPerUser: 1_000,
});
const server = createServer((request, response) => handler.handle(request, response));
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
process.on("disconnect", () => process.exit());
