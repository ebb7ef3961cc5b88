import { once } from "node:events";
import { isIP } from "node:net";
import { planBackoff } from "@tm/run-events-core/store";
import { openRedisStore } from "@tm/run-events-redis";
import { Cluster, Redis } from "ioredis";
import { describeError } from "./describe-error.ts";
import type { Log } from "./log.ts";
import type { OpenedStore } from "./opened-store.ts";
import { reasonOf } from "./reason-of.ts";
import type { StoreUrl } from "./store-url.ts";

type RedisUrl = Extract<StoreUrl, { readonly kind: "redis" | "redis+cluster" }>;

/** The longest that the start waits for a server that does not answer, in milliseconds. */
const START_MS = 6_000;
const CONNECT_MS = 4_000;

/** The time that one node of a cluster has to list the others before the next is asked, in milliseconds. */
const NODES_MS = 2_000;

/** The time limit of a command, in milliseconds: a network that drops everything must not hold a request for ever. */
const COMMAND_MS = 10_000;
/** The pause before a reconnect. Half of it is random, so that many servers do not come back at once. */
const BACKOFF = { firstMs: 50, mostMs: 1_000, jitter: 0.5 };

/**
 * Opens a store on a Redis or a Redis Cluster. A server that is not available now ends the attempt. One that is lost later is connected to
 * again, until the store is released. The same holds for one that has become a replica, because its URL may lead to another by then.
 * @param log gets one line when the server is lost, and one when it is back
 * @throws the driver's error, or RunEventsError `store_unavailable`
 */
export async function openRedis(storeUrl: RedisUrl, log: Log): Promise<OpenedStore> {
  let isOpen = false;
  let isLost = false;
  const redis = createClient(storeUrl, (attempt) => (isOpen ? pauseBefore(attempt) : null));
  const lose = (error: Error): void => {
    if (!isOpen || isLost) return;
    isLost = true;
    log("store_lost", describeError(error));
  };
  redis.on("error", lose);
  // A cluster whose nodes are all down may close again and again without an error.
  if (redis instanceof Cluster)
    redis.on("close", () => lose(new Error("The connections to all nodes were closed.")));
  redis.on("ready", () => {
    if (!isLost) return;
    isLost = false;
    log("store_back");
  });
  try {
    await untilReady(redis, storeUrl);
    if (redis instanceof Redis) await refuseNodeOfCluster(redis);
    const store = await openRedisStore(redis);
    isOpen = true;
    return {
      store,
      async release() {
        isOpen = false;
        redis.disconnect();
      },
    };
  } catch (error) {
    redis.disconnect();
    throw error;
  }
}

function createClient(
  storeUrl: RedisUrl,
  retry: (attempt: number) => number | null,
): Redis | Cluster {
  const { username, password } = storeUrl;
  const options = {
    connectTimeout: CONNECT_MS,
    commandTimeout: COMMAND_MS,
    socketTimeout: COMMAND_MS,
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
  };
  if (storeUrl.kind === "redis+cluster") {
    return new Cluster([...storeUrl.nodes], {
      redisOptions: options,
      clusterRetryStrategy: retry,
      slotsRefreshTimeout: NODES_MS,
      // In a cluster that queue has no time limit.
      enableOfflineQueue: false,
    });
  }
  const { host, port, database, tls } = storeUrl;
  return new Redis({
    ...options,
    host,
    port,
    db: database,
    retryStrategy: retry,
    // Commands that wait for a lost server are refused with the next attempt that fails.
    maxRetriesPerRequest: 1,
    // A master that becomes a replica keeps its connections. Only a new connection finds the new master of a host name.
    reconnectOnError: ({ message }) => message.startsWith("READONLY"),
    ...(tls ? { tls: isIP(host) === 0 ? { servername: host } : {} } : {}),
  });
}

/**
 * Waits until the client is ready.
 * @throws Error with the first error as its cause
 */
async function untilReady(redis: Redis | Cluster, storeUrl: RedisUrl): Promise<void> {
  const signal = AbortSignal.timeout(START_MS);
  try {
    await once(redis, "ready", { signal });
  } catch (error) {
    if (signal.aborted) throw new Error(`it gave no answer in ${START_MS} ms`, { cause: error });
    const isOfNodes = error instanceof Error && "lastNodeError" in error;
    const reason = refusalOf(isOfNodes ? error.lastNodeError : error, storeUrl);
    throw new Error(isOfNodes ? `no node of it can be used: ${reason}` : reason, { cause: error });
  }
}

/** The error codes of a TLS client at a port without TLS. */
const NO_TLS = /^(?:ETIMEDOUT|ECONNRESET|ERR_SSL_.*)$/;

/** The reason why a server is not available: the client's message, or a clearer one where the URL lacks something. */
function refusalOf(error: unknown, storeUrl: RedisUrl): string {
  const reason = reasonOf(error);
  if (reason.startsWith("NOAUTH")) {
    return "it asks for a password: put USER:PASSWORD@ or :PASSWORD@ before the host in its URL";
  }
  // A Redis without TLS takes the handshake for a command and waits for its end, so it looks like a server that does not answer.
  const isNoTls = error instanceof Error && "code" in error && NO_TLS.test(String(error.code));
  return isNoTls && storeUrl.kind === "redis" && storeUrl.tls
    ? `${reason}; if its port does not speak TLS, begin the URL with redis://`
    : reason;
}

/** Refuses a node of a cluster: it has only some of the runs, and redirects requests for the others. */
async function refuseNodeOfCluster(redis: Redis): Promise<void> {
  if (!(await redis.info("cluster")).includes("cluster_enabled:1")) return;
  throw new Error("it is a node of a cluster: begin the URL with redis+cluster://");
}

function pauseBefore(attempt: number): number {
  return planBackoff(BACKOFF, attempt, Math.random());
}
