import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createMemoryStore, createRunEvents, type RunEvents } from "@tm/run-events-core";
import type { HandlerOptions } from "@tm/run-events-http";
import { createNodeHandler, type NodeHandler } from "@tm/run-events-http/node";
import { onTestFinished } from "vitest";

/** A server of this process, and its runs. Each request is `ada`'s, unless the options say something else. */
export interface RunsServer {
  readonly port: number;
  readonly runs: RunEvents;
  readonly handler: NodeHandler;
  /** The paths that were asked for. */
  readonly paths: string[];
}

/** Starts a server with a session. It stops at the test's end. */
export async function startRunsServer(
  options: Partial<HandlerOptions<unknown>> = {},
  limits: { readonly maxPayloadBytes?: number } = {},
): Promise<RunsServer> {
  const runs = createRunEvents({ store: createMemoryStore(), ...limits });
  const handler = createNodeHandler({
    authenticate: () => ({ userId: "ada", credential: "session" }),
    ...options,
    runs,
  });
  const paths: string[] = [];
  const server = createServer((request, response) => {
    paths.push(request.url ?? "");
    handler.handle(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    server.close();
    server.closeAllConnections();
    await runs.close();
  });
  return { port: (server.address() as AddressInfo).port, runs, handler, paths };
}

/** Creates a run of `ada` with this many tokens, and these events after them. */
export async function record(
  runs: RunEvents,
  count: number,
  ...more: readonly string[]
): Promise<string> {
  const { runId } = await runs.create({ ownerId: "ada" });
  const types = [...Array<string>(count).fill("TOKEN"), ...more];
  if (types.length > 0)
    await runs.as("ada").append(
      runId,
      types.map((eventType) => ({ eventType })),
    );
  return runId;
}
