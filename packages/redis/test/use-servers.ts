import type { Redis } from "ioredis";
import { afterAll, beforeAll } from "vitest";
import { openRedisStore, type RedisStore } from "./ruled-store.ts";
import type { Client, Servers, Setup } from "./clients.ts";
import { oneTo } from "@tm/run-events-test-servers/requests";

/** Stores of several processes on their own runs, and a client to inspect the server. */
export interface FreshStores {
  readonly prefix: string;
  readonly redis: Redis;
  readonly store: RedisStore;
  /** `store` and those of the other processes. */
  readonly stores: readonly RedisStore[];
}

/**
 * Starts a setup's servers for the tests of one `describe`.
 * @returns a function that opens stores under a new prefix
 */
export function useServers({ start }: Setup, processes = 1): () => Promise<FreshStores> {
  let servers: Servers;
  let clients: readonly Client[];
  beforeAll(async () => {
    servers = await start();
    clients = oneTo(processes).map(() => servers.connect());
  });
  afterAll(async () => {
    for (const client of clients) client.disconnect();
    await servers.close();
  });
  return async () => {
    const prefix = crypto.randomUUID();
    const stores = await Promise.all(clients.map((client) => openRedisStore(client, { prefix })));
    const [store] = stores;
    if (store === undefined) throw new TypeError("Expected a store.");
    return { prefix, redis: clients[0] as Redis, store, stores };
  };
}
