import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createMemoryStore, createRunEvents, type RunEvents } from "@tm/run-events-core";
import { createNodeHandler, type HandlerOptions } from "@tm/run-events-http/node";

/** The http package on a port, with runs that the test writes itself. */
export interface StreamServer {
  readonly runs: RunEvents;
  readonly url: string;
  /** The session of the owner `ada`. */
  readonly cookie: string;
  close(): Promise<void>;
}

type Times = Pick<HandlerOptions<unknown>, "heartbeatMs" | "maxAgeMs" | "stallMs">;

/** Serves a memory store; a request with the cookie is `ada`'s. */
export async function startStreamServer(times: Times = {}): Promise<StreamServer> {
  const cookie = "session=ada";
  const runs = createRunEvents({ store: createMemoryStore() });
  const handler = createNodeHandler({
    runs,
    authenticate: ({ headers }) =>
      headers.cookie === cookie ? { userId: "ada", credential: "session" } : null,
    maxStreamsPerUser: 10_000,
    ...times,
  });
  const server = createServer((request, response) => handler.handle(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    runs,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cookie,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
      await runs.close();
    },
  };
}
