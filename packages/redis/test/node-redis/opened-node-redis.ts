import { onTestFinished } from "vitest";
import { type RedisClient, type RedisStoreOptions } from "../../src/index.ts";
import { openRedisStore, type RedisStore } from "../ruled-store.ts";
import { MARKS } from "../../src/scripts/list.ts";
import { connectNodeRedis, type NodeRedis } from "./node-redis-doors.ts";

/** The prefix of the tests' stores. */
export const PREFIX = "lost";

/** A client that ends after the test. */
export async function openClient(
  ...given: Parameters<typeof connectNodeRedis>
): Promise<NodeRedis> {
  const client = await connectNodeRedis(...given);
  onTestFinished(() => {
    if (client.isOpen) client.destroy();
  });
  return client;
}

/** A store on a client of node-redis. */
export async function openOn(
  client: RedisClient,
  options: RedisStoreOptions = { prefix: PREFIX },
): Promise<RedisStore> {
  const store = await openRedisStore(client, options);
  onTestFinished(() => store.close());
  return store;
}

/** The same client, of which no poll of a run gets an answer. Only messages notify then. */
export function withoutPolls(client: RedisClient): RedisClient {
  return Object.assign(Object.create(client) as RedisClient, {
    evalsha: (sha1: string, count: number, values: string[]) =>
      sha1 === MARKS.sha1
        ? Promise.withResolvers<never>().promise
        : client.evalsha(sha1, count, values),
  });
}
