/** The commands of this package, for one server, or for the node of a cluster that has the keys. */
interface RedisCommands {
  evalsha(sha1: string, numberOfKeys: number, keysAndValues: string[]): Promise<unknown>;
  eval(lua: string, numberOfKeys: number, keysAndValues: string[]): Promise<unknown>;
}

/** A client's state and settings. */
interface RedisClientState {
  /** `end` once the client has given up or was closed. */
  readonly status: string;
  readonly options: { readonly keyPrefix?: string | undefined };
}

interface RedisEvents {
  on(event: string, listener: (...values: string[]) => void): unknown;
  disconnect(): void;
}

/** The settings that the store's connection for channels does not take from the caller's. */
export interface SubscriberOptions {
  readonly keyPrefix: string;
  readonly lazyConnect: boolean;
  readonly autoResubscribe: boolean;
  readonly autoResendUnfulfilledCommands: boolean;
  readonly enableOfflineQueue: boolean;
  readonly maxRetriesPerRequest: null;
  readonly retryStrategy: (times: number) => number;
  readonly sentinelRetryStrategy: (times: number) => number;
  readonly socketTimeout: number;
}

/** The same settings for a cluster. */
interface ClusterSubscriberOptions {
  readonly keyPrefix: string;
  readonly lazyConnect: boolean;
  readonly enableOfflineQueue: boolean;
  readonly shardedSubscribers: boolean;
  readonly clusterRetryStrategy: (times: number) => number;
  readonly redisOptions: object;
}

/** A connection that subscribes to channels. */
export interface RedisSubscriber extends RedisEvents {
  subscribe(...channels: string[]): Promise<unknown>;
  unsubscribe(...channels: string[]): Promise<unknown>;
  ping(): Promise<unknown>;
}

/** A client of a cluster that subscribes to the channels of its shards. */
interface RedisClusterSubscriber extends RedisEvents {
  ssubscribe(channel: string): Promise<unknown>;
  sunsubscribe(channel: string): Promise<unknown>;
}

/** The commands that read a server's settings, when the store opens and with each probe. */
export interface RedisServerFacts {
  info(section: string): Promise<string>;
  config(subcommand: "GET", parameter: string): Promise<unknown>;
}

/**
 * A client of one server, with or without Sentinel: ioredis' or iovalkey's `Redis`. The caller opens and closes it.
 * @see https://github.com/redis/ioredis
 */
export interface RedisClient extends RedisCommands, RedisClientState, RedisServerFacts {
  duplicate(options: SubscriberOptions): RedisSubscriber;
}

/** A client of a cluster: ioredis' or iovalkey's `Cluster`. The caller opens and closes it. */
export interface RedisClusterClient extends RedisCommands, RedisClientState {
  nodes(role: "master"): readonly RedisServerFacts[];
  duplicate(nodes: never[], options: ClusterSubscriberOptions): RedisClusterSubscriber;
}

/** Whether the client is one of a cluster. */
export function isCluster(redis: RedisClient | RedisClusterClient): redis is RedisClusterClient {
  return "nodes" in redis;
}
