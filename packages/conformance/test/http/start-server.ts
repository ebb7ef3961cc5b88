import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createMemoryStore, createRunEvents } from "@tm/run-events-core";
import { createNodeHandler, type HandlerOptions } from "@tm/run-events-http/node";
import { identify } from "./users.ts";

/** The handler of node:http over a memory store, on a port. */
export async function startServer(
  options: Pick<HandlerOptions<unknown>, "basePath"> = {},
): Promise<{
  readonly url: string;
  close(): Promise<void>;
}> {
  const runs = createRunEvents({ store: createMemoryStore() });
  const handler = createNodeHandler({
    ...options,
    runs,
    authenticate: ({ headers }, wanted) =>
      identify(headers.authorization ?? null, headers.cookie ?? null, wanted),
  });
  const server = createServer((request, response) => handler.handle(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
      await runs.close();
    },
  };
}
