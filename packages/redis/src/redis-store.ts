import { createCalls, createStoreReports, type RunEventStore } from "@tm/run-events-core/store";
import { appendPlains } from "./append.ts";
import { changeRuns } from "./change.ts";
import { checkClient } from "./check-client.ts";
import { createConnection } from "./connection.ts";
import type { RedisClient, RedisClusterClient } from "./driver.ts";
import { examineServers } from "./examine-servers.ts";
import { keysOf } from "./keys.ts";
import { listDue, listOwned } from "./list.ts";
import { NOTIFY_WITHIN_MS, Notifications } from "./notifications.ts";
import { probeServers } from "./probe.ts";
import { readRuns } from "./read.ts";

/** Settings of {@link openRedisStore}. */
export interface RedisStoreOptions {
  /**
   * The start of the names of the store's keys and channels, before a colon. No braces, no white space.
   * @defaultValue `run-events`
   * @see clause S19 in `STORE.md` of `@tm/run-events-core`
   */
  readonly prefix?: string;
}

/** A script of this many events occupies the server for some 50 ms. */
const MOST_EVENTS = 10_000;
const MOST_BYTES = 64 * 1_024 * 1_024;

/** A store on Redis. */
export type RedisStore = RunEventStore;

/**
 * Opens a store on Redis or Valkey, over the caller's client. The client is ioredis' or iovalkey's `Redis`, alone or with Sentinel,
 * or `Cluster`. Any number of processes may share the store. With the first subscription the store opens a second connection, and
 * closes only that one.
 *
 * The server's settings decide what an append survives: power loss with `appendfsync always`, and otherwise what
 * `capabilities.durability` shows. They are checked now and with each `probe`, which fails if keys may be evicted. Under any
 * settings, a failover may lose acknowledged appends, since replicas lag. In a cluster all runs of one owner are on one node.
 *
 * With a host name, a client must disconnect from a server that has become a replica:
 * `reconnectOnError: ({ message }) => message.startsWith("READONLY")`.
 *
 * @throws TypeError for a bad prefix, or for a value that is not such a client
 * @throws RunEventsError `store_unavailable`: Redis cannot be reached, or refuses the user; not `retryable` if the client is closed,
 * if a server's `maxmemory-policy` lets it evict keys, or if the keys under the prefix are of another format
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
  const calls = createCalls();
  const perform = <T>(work: () => Promise<T>): Promise<T> =>
    calls.run(() => connection.perform(work));

  return {
    capabilities: {
      // From the last check of the servers' settings: here, and with each probe.
      get durability() {
        return durability;
      },
      shared: true,
      joinsTransaction: false,
      // The client sends commands again when it has reconnected, but gives up after some attempts.
      losesAnswers: true,
      appendsAtOnce: 2,
      notifyWithinMs: NOTIFY_WITHIN_MS,
      mostEvents: MOST_EVENTS,
      mostBytes: MOST_BYTES,
    },
    append: (plains) => perform(() => appendPlains(connection, plains)),
    change: (changes) => perform(() => changeRuns(connection, changes)),
    read: (queries) => perform(() => readRuns(connection, queries)),
    list: (query) =>
      perform(() => ("due" in query ? listDue(connection, query) : listOwned(connection, query))),
    async probe() {
      const probed = await perform(() => probeServers(connection));
      ({ durability } = probed);
      return probed.nowMs;
    },
    subscribe: (subject, onNotification) => notifications.subscribe(subject, onNotification),
    observe: reports.observe,
    close() {
      connection.close();
      notifications.close();
      return calls.close();
    },
  };
}
