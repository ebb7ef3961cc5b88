import { planBackoff } from "@tm/run-events-core/store";
import { isCluster, type RedisClient, type RedisClusterClient } from "./driver.ts";

/** What a subscriber tells. */
export interface SubscriberEvents {
  /** A connection is there and knows none of the channels: all are to be subscribed to, again. */
  readonly onUp: () => void;
  /** The channels, or some of them, are not heard any more. */
  readonly onDown: () => void;
  readonly onMessage: (channel: string) => void;
}

/** The store's own connection, on which it hears channels. It reconnects by itself until it is closed. */
export interface Subscriber {
  /** Resolves with the channels that the server has confirmed. */
  subscribe(channels: readonly string[]): Promise<readonly string[]>;
  unsubscribe(channels: readonly string[]): Promise<void>;
  /** Asks for a sign of life: a connection that gives none for a while is broken off. */
  beat(): void;
  close(): void;
}

/** The most channels of one command. */
const CHANNELS_AT_ONCE = 1_000;
/** How long the server may be silent after a word to it, in milliseconds. */
const SILENCE_MS = 5_000;
/** A fifth by chance, so that many processes do not come back as one. */
const BACKOFF = { firstMs: 50, mostMs: 2_000, jitter: 0.2 };

/**
 * Opens a connection of its own beside the caller's, with the caller's settings except for what makes it last and what
 * this package does itself: whoever subscribes again must know when that has been confirmed.
 */
export function createSubscriber(
  redis: RedisClient | RedisClusterClient,
  events: SubscriberEvents,
): Subscriber {
  return isCluster(redis) ? hearShards(redis, events) : hearServer(redis, events);
}

/** How long to wait before an attempt, in milliseconds. Attempts count from 1. */
function pauseBefore(attempt: number): number {
  return planBackoff(BACKOFF, attempt, Math.random());
}

function hearServer(redis: RedisClient, events: SubscriberEvents): Subscriber {
  const connection = redis.duplicate({
    keyPrefix: "",
    lazyConnect: false,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: true,
    enableOfflineQueue: true,
    maxRetriesPerRequest: null,
    retryStrategy: pauseBefore,
    sentinelRetryStrategy: pauseBefore,
    socketTimeout: SILENCE_MS,
  });
  connection.on("error", ignoreError);
  connection.on("ready", events.onUp);
  connection.on("close", events.onDown);
  connection.on("message", events.onMessage);
  return {
    async subscribe(channels) {
      await Promise.all(
        chunksOf(channels, CHANNELS_AT_ONCE).map((some) => connection.subscribe(...some)),
      );
      return channels;
    },
    async unsubscribe(channels) {
      await Promise.all(
        chunksOf(channels, CHANNELS_AT_ONCE).map((some) => connection.unsubscribe(...some)),
      );
    },
    beat() {
      connection.ping().catch(ignoreError);
    },
    close: () => connection.disconnect(),
  };
}

/**
 * In a cluster a channel is heard at a node of its shard. ioredis keeps a connection to each master that is needed, and
 * moves the channels when slots move; it says `subscribersReady` when it has sent them on, but not whether the nodes have
 * confirmed, so all are subscribed to once more then. It loses a channel if it asks for the map of slots while a node still
 * has an old one: that shows when a look finds what no message has told, and the channel is renewed.
 */
function hearShards(redis: RedisClusterClient, events: SubscriberEvents): Subscriber {
  // iovalkey's Cluster has no such connections: its runs are looked at instead.
  if (!("shardedSubscribers" in redis.options)) return DEAF;
  const cluster = redis.duplicate([], {
    keyPrefix: "",
    lazyConnect: false,
    enableOfflineQueue: true,
    shardedSubscribers: true,
    clusterRetryStrategy: pauseBefore,
    redisOptions: { keyPrefix: "", socketTimeout: SILENCE_MS },
  });
  cluster.on("error", ignoreError);
  cluster.on("subscribersReady", events.onUp);
  cluster.on("-subscriber", events.onDown);
  cluster.on("smessage", events.onMessage);
  return {
    async subscribe(channels) {
      // Each on its own: a command is for one slot, and a node that fails is not to keep the others back.
      const attempts = await Promise.allSettled(
        channels.map(async (channel) => cluster.ssubscribe(channel)),
      );
      return channels.filter((_, index) => attempts[index]?.status === "fulfilled");
    },
    async unsubscribe(channels) {
      await Promise.all(channels.map(async (channel) => cluster.sunsubscribe(channel)));
    },
    beat() {
      // ioredis notices itself that a node of a cluster has gone: its commands fail, and it asks the others.
    },
    close: () => cluster.disconnect(),
  };
}

const DEAF: Subscriber = {
  subscribe: async () => [],
  unsubscribe: async () => {},
  beat() {},
  close() {},
};

function ignoreError(): void {
  // The client reconnects by itself, and runs are looked at until it has.
}

function chunksOf<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
