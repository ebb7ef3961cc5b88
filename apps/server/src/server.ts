import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createRunEvents, type RunEvents } from "@tm/run-events-core";
import { stallsOf } from "@tm/run-events-core/wire";
import { createNodeHandler, type NodeHandler } from "@tm/run-events-http/node";
import type { RunEventStore } from "@tm/run-events-core/store";
import { type GeneratedToken, openAccess } from "./access.ts";
import type { Credentials } from "./authenticate.ts";
import { planConnections, readDescriptorLimit } from "./connection-limit.ts";
import { readConsoleRoutes } from "./console-routes.ts";
import { describeError } from "./describe-error.ts";
import { createHttpServer } from "./http-server.ts";
import type { LateStore } from "./late-store.ts";
import type { Log } from "./log.ts";
import { Metrics } from "./metrics.ts";
import { openStore } from "./open-store.ts";
import type { OpenedStore } from "./opened-store.ts";
import { createOwnRoutes } from "./routes.ts";
import { createSessionRoutes } from "./session-routes.ts";
import type { Settings } from "./settings.ts";
import { StoreMonitor } from "./store-monitor.ts";
import { confirmMsFor, type RunningUpkeep, startUpkeep } from "./upkeep.ts";

/** The longest that a shutdown waits for the upkeep after the drain window, in milliseconds. */
const UPKEEP_MS = 2_000;

/** A server that is listening. */
export interface RunningServer {
  /** `http://HOST:PORT`, with the host of the settings. */
  readonly url: string;
  /** The same, with a host that this machine can reach even if the server listens on every address. */
  readonly localUrl: string;
  readonly generated: GeneratedToken | null;
  /** The failures that an acknowledged append survives; `null` if the store is away. */
  readonly durability: RunEventStore["capabilities"]["durability"] | null;
  /** Resolves when the store is open. Rejects if it was away, and cannot be used now that it is back. */
  readonly opening: Promise<void>;
  /** Drains, closes, and releases the store. Idempotent. @see clause W27 in `WIRE.md` */
  close(): Promise<void>;
}

/**
 * Starts a server: opens the store, makes the handler, listens on the port. A store that is away now is opened when it is back.
 * @throws RunEventsError `store_unavailable`, or the system's error of a port or a folder that is not available; the message is
 * one line for the operator
 */
export async function startServer(
  settings: Settings,
  consoleFolder: string,
  log: Log,
): Promise<RunningServer> {
  const opened = await openStore(settings.storeUrl, log);
  try {
    return await serve(settings, consoleFolder, opened, log);
  } catch (error) {
    await opened.store.close();
    await opened.release();
    throw error;
  }
}

async function serve(
  settings: Settings,
  consoleFolder: string,
  opened: OpenedStore & Partial<LateStore>,
  log: Log,
): Promise<RunningServer> {
  const { store } = opened;
  const { allowedOrigins, drainMs } = settings;
  const { credentials, sessions, generated } = await openAccess(settings);
  const onError = (error: unknown): void => log("request_failed", describeError(error));
  const metrics = new Metrics({
    handler: () => handler.stats(),
    store: () => monitor.health(),
    walBytes: () => opened.walBytes?.() ?? null,
    purges: settings.retentionMs !== null,
  });
  const { maxPayloadBytes, maxBatchEvents } = settings;
  const runs = createRunEvents({ store, telemetry: metrics, maxPayloadBytes, maxBatchEvents });
  const handler = openHandler(settings, runs, credentials, onError);
  const monitor = new StoreMonitor({ watch: stallsOf(runs.log).writes, log });
  let closing: Promise<void> | null = null;
  const ownRoutes = createOwnRoutes({
    session: createSessionRoutes({ credentials, sessions, allowedOrigins, log }),
    console: readConsoleRoutes(consoleFolder),
    metrics,
    store,
    monitor,
    isDraining: () => closing !== null,
  });
  const { maxConnections, shortage } = planConnections(settings.maxStreams, readDescriptorLimit());
  const httpServer = createHttpServer({ ownRoutes, handler, metrics, maxConnections });
  await monitor.start();
  const server = await httpServer.listen(settings.port, settings.host).catch((error: unknown) => {
    monitor.stop();
    throw error;
  });
  if (shortage !== null) log("descriptors_low", { ...shortage, maxConnections });
  const localUrl = encodeUrl(server, LOCAL_ADDRESS.get(settings.host) ?? settings.host);
  const confirmMs = confirmMsFor(settings);
  let upkeep: RunningUpkeep | null = null;
  const startWork = (): void => {
    if (closing === null) upkeep = startUpkeep({ runs: runs.log, confirmMs, settings, log });
  };
  if (opened.opening === undefined) startWork();
  const opening = opened.opening?.then(startWork) ?? Promise.resolve();
  opening.catch(() => {});

  async function shutDown(): Promise<void> {
    log("draining", { drainMs });
    const stopped = upkeep?.stop(drainMs + UPKEEP_MS);
    await httpServer.close(drainMs);
    await stopped;
    monitor.stop();
    await runs.close();
    await opened.release();
    log("stopped");
  }

  return {
    url: encodeUrl(server, settings.host),
    localUrl,
    generated,
    durability: opened.opening === undefined ? store.capabilities.durability : null,
    opening,
    close: () => (closing ??= shutDown()),
  };
}

function openHandler(
  settings: Settings,
  runs: RunEvents,
  credentials: Credentials,
  onError: (error: unknown) => void,
): NodeHandler {
  return createNodeHandler({
    runs,
    authenticate: (request, wanted) => credentials.authenticate(request, wanted),
    allowedOrigins: settings.allowedOrigins,
    maxBodyBytes: settings.maxBodyBytes,
    retentionMs: settings.retentionMs,
    heartbeatMs: settings.heartbeatMs,
    maxAgeMs: settings.maxStreamAgeMs,
    stallMs: settings.stallMs,
    maxStreams: settings.maxStreams,
    maxStreamsPerUser: settings.maxStreamsPerUser,
    onError,
  });
}

/** Addresses that mean all of a machine's, each with one that a client can use. */
const LOCAL_ADDRESS: ReadonlyMap<string, string> = new Map([
  ["0.0.0.0", "127.0.0.1"],
  ["::", "::1"],
]);

function encodeUrl(server: Server, host: string): string {
  const { port } = server.address() as AddressInfo;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
