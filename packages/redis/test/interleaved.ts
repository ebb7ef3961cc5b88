import type { Scheduler } from "fast-check";
import type { Redis } from "ioredis";
import type { RedisClient, RedisClusterClient } from "../src/index.ts";

/** A process of a test: its commands to Redis take turns with those of the others. */
export interface InterleavedClient {
  readonly client: RedisClient | RedisClusterClient;
  /** From here on commands wait for their turn; before, they are sent at once. */
  begin(): void;
}

/**
 * A client whose commands and answers wait for their turns, in any order of the scheduler. Two processes with such clients meet at
 * every point between two commands.
 * @param lastCommand the command with which the process dies; earlier commands are performed
 * @param asCluster whether the store treats the server as a cluster, in which no script has keys of two slots
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
