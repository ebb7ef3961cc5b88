import { createStoreReports, type RunEventStore } from "@tm/run-events-core/store";
import { appendGroup } from "./append.ts";
import { checkClient } from "./check-client.ts";
import { createConnection } from "./connection.ts";
import type { RedisClient, RedisClusterClient } from "./driver.ts";
import { examineServers } from "./examine-servers.ts";
import { listIdle } from "./idle.ts";
import { keysOf } from "./keys.ts";
import { claimRun, listExpired, releaseRun, renewLease } from "./leases.ts";
import { listRuns } from "./list.ts";
import { probeServers } from "./probe.ts";
import { purgeRuns } from "./purge.ts";
import { createRun, deleteRun } from "./runs.ts";
import { readPage } from "./scripts/read.ts";
import { readHead } from "./scripts/read-head.ts";
import { NOTIFY_WITHIN_MS, Notifications } from "./notifications.ts";

/** Settings of {@link openRedisStore}. */
export interface RedisStoreOptions {
  /**
   * The start of the names of the store's keys and channels, before a colon. No braces, no white space.
   * @defaultValue `run-events`
   * @see clause S19 in `STORE.md` of `@tm/run-events-core`
   */
  readonly prefix?: string;
}

/** A store on Redis. */
export type RedisStore = RunEventStore;

/**
 * Opens a store on Redis or Valkey, over the caller's client. The client is ioredis' or iovalkey's `Redis`, alone or with Sentinel,
 * or `Cluster`. Any number of processes may share the store. With the first subscription the store opens a second connection, and
 * closes only that one.
 *
 * The server's settings decide what an append survives: power loss with `appendfsync always`, and otherwise what
 * `capabilities.durability` shows. They are checked now and with each `probe`, which fails if keys may be evicted. Under any
 * settings, a failover may lose acknowledged appends, since replicas lag.
 *
 * With a host name, a client must disconnect from a server that has become a replica:
 * `reconnectOnError: ({ message }) => message.startsWith("READONLY")`.
 *
 * @throws TypeError for a bad prefix, or for a value that is not such a client
 * @throws RunEventsError `store_unavailable`: Redis cannot be reached, or refuses the user; not `retryable` if the client is closed,
 * or if a server's `maxmemory-policy` lets it evict keys
 * @example
 * const redis = new Redis("redis://127.0.0.1:6379", {
 *   reconnectOnError: ({ message }) => message.startsWith("READONLY"),
 * });
 * const store = await openRedisStore(redis);
 * const runs = createRunEvents({ store });
 */
export async function openRedisStore(
  redis: RedisClient | RedisClusterClient,
  options: RedisStoreOptions = {},
): Promise<RedisStore> {
  checkClient(redis);
  const { prefix = "run-events" } = options;
  const connection = createConnection(redis, keysOf(prefix, redis.options.keyPrefix ?? ""));
  let durability = await connection.perform(() => examineServers(connection));
  const reports = createStoreReports();
  const notifications = new Notifications(connection, reports);

  return {
    capabilities: {
      // From the last check of the servers' settings: here, and with each probe.
      get durability() {
        return durability;
      },
      shared: true,
      joinsTransaction: false,
      // The client sends commands again when it has reconnected, but gives up after some attempts.
      losesAcknowledgements: true,
      appendsAtOnce: 2,
      notifyWithinMs: NOTIFY_WITHIN_MS,
    },
    createRun: (request) => connection.perform(() => createRun(connection, request)),
    append: (requests) => connection.perform(() => appendGroup(connection, requests)),
    read: (queries) =>
      connection.perform(() => Promise.all(queries.map((query) => readPage(connection, query)))),
    getRun: (runId) => connection.perform(() => readHead(connection, runId)),
    listRuns: (query) => connection.perform(() => listRuns(connection, query)),
    deleteRun: (runId, ownerId) => connection.perform(() => deleteRun(connection, runId, ownerId)),
    claim: (request) => connection.perform(() => claimRun(connection, request)),
    renew: (request) => connection.perform(() => renewLease(connection, request)),
    release: (request) => connection.perform(() => releaseRun(connection, request)),
    listExpired: (query) => connection.perform(() => listExpired(connection, query)),
    listIdle: (query) => connection.perform(() => listIdle(connection, query)),
    purge: (request) => connection.perform(() => purgeRuns(connection, request)),
    async probe() {
      const probed = await connection.perform(() => probeServers(connection));
      ({ durability } = probed);
      return probed.nowMs;
    },
    subscribe: (subject, onNotification) => notifications.subscribe(subject, onNotification),
    observe: reports.observe,
    async close() {
      connection.close();
      notifications.close();
    },
  };
}
