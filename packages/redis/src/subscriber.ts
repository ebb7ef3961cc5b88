import { planBackoff } from "@tm/run-events-core/store";
import { chunksOf } from "./chunks.ts";
import { isCluster, type RedisClient, type RedisClusterClient } from "./driver.ts";

/** Called when a subscriber's connection changes, or receives a message. */
export interface SubscriberEvents {
  /** A connection is up without channels: subscribe to all of them, again. */
  readonly onUp: () => void;
  /** The subscriptions to the channels, or to some of them, are lost. */
  readonly onDown: () => void;
  readonly onMessage: (channel: string, message: string) => void;
}

/** The store's connection for channels. It reconnects by itself until it is closed. */
export interface Subscriber {
  /** Resolves with the channels that the server has confirmed. */
  subscribe(channels: readonly string[]): Promise<readonly string[]>;
  unsubscribe(channels: readonly string[]): Promise<void>;
  /** Pings the server: a connection without an answer for `SILENCE_MS` is closed. */
  beat(): void;
  close(): void;
}

/** The most channels of one command. */
const CHANNELS_AT_ONCE = 1_000;
/** The time that the server may be silent after a command, in milliseconds. */
const SILENCE_MS = 5_000;
/** A fifth is random, so that many processes do not reconnect at once. */
const BACKOFF = { firstMs: 50, mostMs: 2_000, jitter: 0.2 };

/**
 * Opens a connection next to the caller's. It takes the caller's settings, except those that keep it alive and those for what this
 * package does itself: to subscribe again, the package has to know when the server has confirmed it.
 */
export function createSubscriber(
  redis: RedisClient | RedisClusterClient,
  events: SubscriberEvents,
): Subscriber {
  return isCluster(redis)
    ? createShardSubscriber(redis, events)
    : createServerSubscriber(redis, events);
}

/** The time to wait before an attempt, in milliseconds. Attempts count from 1. */
function pauseBefore(attempt: number): number {
  return planBackoff(BACKOFF, attempt, Math.random());
}

function createServerSubscriber(redis: RedisClient, events: SubscriberEvents): Subscriber {
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
 * In a cluster, a node of a channel's shard sends its messages. ioredis keeps a connection to each master that is needed, and
 * moves the channels when slots move. It emits `subscribersReady` when it has sent them, but the nodes may not have confirmed
 * them, so all are subscribed to once more. ioredis loses a channel if it asks for the map of slots while a node still has an
 * old one. A poll then finds a commit without a message, and the channel's subscription is renewed.
 */
function createShardSubscriber(redis: RedisClusterClient, events: SubscriberEvents): Subscriber {
  // iovalkey's Cluster has no such connections: its runs are polled instead.
  if (!("shardedSubscribers" in redis.options)) return UNSUPPORTED;
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
      // Each by itself: a command is for one slot, and a node that fails must not hold up the others.
      const attempts = await Promise.allSettled(
        channels.map(async (channel) => cluster.ssubscribe(channel)),
      );
      return channels.filter((_, index) => attempts[index]?.status === "fulfilled");
    },
    async unsubscribe(channels) {
      await Promise.all(channels.map(async (channel) => cluster.sunsubscribe(channel)));
    },
    beat() {
      // ioredis detects by itself that a node of a cluster has left: its commands fail, and it asks the others.
    },
    close: () => cluster.disconnect(),
  };
}

const UNSUPPORTED: Subscriber = {
  subscribe: async () => [],
  unsubscribe: async () => {},
  beat() {},
  close() {},
};

function ignoreError(): void {
  // The client reconnects by itself, and runs are polled until it has.
}
