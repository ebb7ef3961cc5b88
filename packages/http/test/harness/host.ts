import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createMemoryStore, createRunEvents, type RunEvents } from "@tm/run-events-core";
import { onTestFinished } from "vitest";

/** Runs of a host, with ada's run `r`. They are closed after the test. */
export async function openRuns(
  options: Partial<Parameters<typeof createRunEvents>[0]> = {},
): Promise<RunEvents> {
  const runs = createRunEvents({ store: createMemoryStore(), ...options });
  onTestFinished(() => runs.close());
  await runs.create({ ownerId: "ada", runId: "r" });
  return runs;
}

/** Serves a host's program on a free port, until the test ends. */
export async function serve(
  listener: RequestListener,
): Promise<{ readonly server: Server; readonly port: number; readonly url: string }> {
  const server = createServer(listener);
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  return { server, port, url: `http://127.0.0.1:${port}` };
}
