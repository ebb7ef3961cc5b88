import { once } from "node:events";
import { isIP } from "node:net";
import { type Backoff, planBackoff } from "@tm/run-events-core/store";
import { openRedisStore } from "@tm/run-events-redis";
import { Cluster, Redis } from "ioredis";
import { describeError } from "./describe-error.ts";
import type { Log } from "./log.ts";
import type { OpenedStore } from "./opened-store.ts";
import { reasonOf } from "./reason-of.ts";
import type { StoreUrl } from "./store-url.ts";

type RedisUrl = Extract<StoreUrl, { readonly kind: "redis" | "redis+cluster" }>;

/** How long the start waits for a server that says nothing, in milliseconds. */
const START_MS = 6_000;
const CONNECT_MS = 4_000;

/** How long one node of a cluster may take to tell of the others before the next is asked, in milliseconds. */
const NODES_MS = 2_000;

/** How long a command may take, in milliseconds: a network that swallows everything must not hold a request for ever. */
const COMMAND_MS = 10_000;
/** Half of it by chance, so that many servers do not come back as one. */
const BACKOFF: Backoff = { firstMs: 50, mostMs: 1_000, jitter: 0.5 };

/**
 * Opens a store on a Redis or a Redis Cluster. A server that cannot be had now ends the attempt; one that is lost later is
 * looked for until the store is released. So is one that has become a replica: its URL may lead to another by then.
 * @param log told once when the server is lost, and once when it is back
 * @throws what the driver threw, or RunEventsError `store_unavailable`
 */
export async function openRedis(storeUrl: RedisUrl, log: Log): Promise<OpenedStore> {
  let isOpen = false;
  let isLost = false;
  const redis = createClient(storeUrl, (attempt) => (isOpen ? pauseBefore(attempt) : null));
  redis.on("error", (error: Error) => {
    if (!isOpen || isLost) return;
    isLost = true;
    log("store_lost", describeError(error));
  });
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
    return { store, release: async () => redis.disconnect() };
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
      // Of a cluster it has no time limit.
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
    // Whoever waits for a lost server is refused with the next attempt that fails.
    maxRetriesPerRequest: 1,
    // A master that becomes a replica keeps its connections. Behind a host name only a new connection finds the new master.
    reconnectOnError: ({ message }) => message.startsWith("READONLY"),
    ...(tls ? { tls: isIP(host) === 0 ? { servername: host } : {} } : {}),
  });
}

/** @throws Error made of the first error */
async function untilReady(redis: Redis | Cluster, storeUrl: RedisUrl): Promise<void> {
  const signal = AbortSignal.timeout(START_MS);
  try {
    await once(redis, "ready", { signal });
  } catch (error) {
    if (signal.aborted) throw new Error(`it gave no answer in ${START_MS} ms`, { cause: error });
    const isOfNodes = error instanceof Error && "lastNodeError" in error;
    const reason = refusalOf(isOfNodes ? error.lastNodeError : error, storeUrl);
    throw new Error(isOfNodes ? `none of its nodes will do: ${reason}` : reason, { cause: error });
  }
}

/** What a client of TLS meets at a port without it. */
const NO_TLS = /^(?:ETIMEDOUT|ECONNRESET|ERR_SSL_.*)$/;

/** Why a server cannot be had: what the client said, in clearer words where it is plain what is missing in the URL. */
function refusalOf(error: unknown, storeUrl: RedisUrl): string {
  const said = reasonOf(error);
  if (said.startsWith("NOAUTH")) {
    return "it asks for a password: put USER:PASSWORD@ or :PASSWORD@ before the host in its URL";
  }
  // A Redis without TLS waits for the end of what it takes for a command, and so looks like a server that says nothing.
  const isNoTls = error instanceof Error && "code" in error && NO_TLS.test(String(error.code));
  return isNoTls && storeUrl.kind === "redis" && storeUrl.tls
    ? `${said}; if its port does not speak TLS, the URL begins with redis://`
    : said;
}

/** Of a cluster's runs one node has but some, and sends whoever asks for the others away. */
async function refuseNodeOfCluster(redis: Redis): Promise<void> {
  if (!(await redis.info("cluster")).includes("cluster_enabled:1")) return;
  throw new Error("it is a node of a cluster, whose URL begins with redis+cluster://");
}

function pauseBefore(attempt: number): number {
  return planBackoff(BACKOFF, attempt, Math.random());
}
