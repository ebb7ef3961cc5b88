import type { Scheduler } from "fast-check";
import type { Redis } from "ioredis";
import type { RedisClient, RedisClusterClient } from "../src/index.ts";

/** A process of a test: what it sends to Redis takes its turn among what the others send. */
export interface InterleavedClient {
  readonly client: RedisClient | RedisClusterClient;
  /** From here on commands wait for their turn; before, they are sent as they come. */
  begin(): void;
}

/**
 * A client whose commands wait for their turns, and so do the answers, in whatever order the scheduler takes them; two
 * processes with such clients meet each other at every point between two commands.
 * @param lastCommand with which command the process dies; what it has sent before is done
 * @param asCluster whether the store is to treat the server as a cluster, in which no script has keys of two slots
 */
export function interleave(
  redis: Redis,
  scheduler: Scheduler,
  { lastCommand, asCluster }: { readonly lastCommand: number; readonly asCluster: boolean },
): InterleavedClient {
  let isUnderWay = false;
  let sent = 0;

  async function inTurn<Reply>(send: () => Promise<Reply>): Promise<Reply> {
    if (!isUnderWay) return send();
    await scheduler.schedule(Promise.resolve());
    sent += 1;
    if (sent > lastCommand) throw new Error("The process has died.");
    const reply = await send();
    await scheduler.schedule(Promise.resolve());
    return reply;
  }

  const client = {
    status: "ready",
    options: {},
    hmget: (key: string, ...fields: string[]) => inTurn(() => redis.hmget(key, ...fields)),
    zadd: (key: string, ...values: string[]) => inTurn(() => redis.zadd(key, ...values)),
    zrem: (key: string, ...members: string[]) => inTurn(() => redis.zrem(key, ...members)),
    evalsha: (sha1: string, count: number, values: string[]) =>
      inTurn(() => redis.evalsha(sha1, count, values)),
    eval: (lua: string, count: number, values: string[]) =>
      inTurn(() => redis.eval(lua, count, values)),
    info: (section: string) => redis.info(section),
    config: (_: "GET", parameter: string) => redis.config("GET", parameter),
    duplicate(): never {
      throw new TypeError("Expected no subscription.");
    },
  };
  return {
    client: asCluster ? { ...client, nodes: () => [client] } : client,
    begin() {
      isUnderWay = true;
    },
  };
}
