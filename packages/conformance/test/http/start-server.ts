import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createMemoryStore, createRunEvents, type RunEvents } from "@tm/run-events-core";
import { createNodeHandler, type HandlerOptions } from "@tm/run-events-http/node";
import { identify } from "./users.ts";

/** The settings that a test may choose. */
type ServerOptions = Pick<
  HandlerOptions<unknown>,
  "basePath" | "heartbeatMs" | "stallMs" | "maxAgeMs"
>;

/** The interval at which runs without a worker are ended, in milliseconds. */
const REAP_MS = 50;

/** A server on a port. */
export interface StartedServer {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * The handler of node:http over a memory store, on a port.
 * @param limits when runs end that no worker works on. Default: never
 */
export async function startServer(
  options: ServerOptions = {},
  limits: Parameters<RunEvents["reap"]>[0] | null = null,
): Promise<StartedServer> {
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
  const reap = (): unknown => limits !== null && runs.reap(limits).catch(() => {});
  const reaping = setInterval(reap, REAP_MS);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      clearInterval(reaping);
      server.close();
      server.closeAllConnections();
      await once(server, "close");
      await runs.close();
    },
  };
}
