import type { Cost, Counts } from "@tm/run-events-conformance";
import { Cluster, type Redis } from "ioredis";
import type { Client } from "./clients.ts";

/**
 * Counts the commands and scripts that a client sends from now on.
 * @returns a function that returns the count so far
 */
export function countCommands(client: Client): () => Cost {
  let statements = 0;
  const { sendCommand } = client as Redis;
  Object.assign(client, {
    sendCommand(...sent: Parameters<typeof sendCommand>) {
      statements += 1;
      return sendCommand.apply(client as Redis, sent);
    },
  });
  return () => ({ statements });
}

/** The keys of a prefix on all of a client's servers. */
async function* keysOf(client: Client, prefix: string): AsyncGenerator<[Redis, string]> {
  const servers = client instanceof Cluster ? client.nodes("master") : [client as Redis];
  for (const server of servers) {
    for await (const keys of server.scanStream({ match: `${prefix}:*`, count: 1_000 })) {
      for (const key of keys as readonly string[]) yield [server, key];
    }
  }
}

/** The number of entries that a key has, by its type. */
async function sizeOf(server: Redis, key: string): Promise<number> {
  switch (await server.type(key)) {
    case "hash":
      return server.hlen(key);
    case "stream":
      return server.xlen(key);
    case "zset":
      return server.zcard(key);
    default:
      return 1;
  }
}

/**
 * Counts what the store keeps under a prefix: keys of runs, and entries of indexes and lists. The number of the format, last ordinals and the
 * keys of probes do not count, since they belong to no run.
 * @throws Error for a key that expires: a run would lose it while others still need it
 */
export async function countLeftovers(client: Client, prefix: string): Promise<Counts> {
  const counts: Record<string, number> = {};
  for await (const [server, key] of keysOf(client, prefix)) {
    if (/:(format|ordinal|probe)$/.test(key)) continue;
    const kind = /^[^:]*:\{\d+\}:([a-z]+)/.exec(key)?.[1] ?? key;
    if ((await server.pttl(key)) >= 0)
      throw new Error(`Expected no key to expire, but one of ${kind} does.`);
    counts[kind] = (counts[kind] ?? 0) + (await sizeOf(server, key));
  }
  return counts;
}
