import { startRedis, startRedisCluster, type RedisOptions } from "@tm/run-events-test-servers";
import { Cluster, Redis } from "ioredis";
import { Redis as Valkey } from "iovalkey";
import type { RedisClient, RedisClusterClient } from "../src/index.ts";

/** A client that a test has opened. */
export type Client = (RedisClient | RedisClusterClient) & {
  del(key: string): Promise<number>;
  disconnect(): void;
};

/** Servers, and how to open a client on them. */
export interface Servers {
  connect(): Client;
  close(): Promise<void>;
}

/** A server and a client that the whole store is tested on. */
export interface Setup {
  readonly name: string;
  /** The package of the client. */
  readonly driver: "ioredis" | "iovalkey";
  start(): Promise<Servers>;
}

async function startOne(options: RedisOptions, connect: (url: string) => Client): Promise<Servers> {
  const server = await startRedis(options);
  return { connect: () => connect(server.url), close: () => server.close() };
}

export const MAIN_SETUP: Setup = {
  name: "redis-server with ioredis",
  driver: "ioredis",
  start: () => startOne({ program: "redis-server" }, (url) => new Redis(url)),
};

/** The others, on which the kit runs nightly. */
export const VARIANTS: readonly Setup[] = [
  {
    name: "valkey-server with iovalkey",
    driver: "iovalkey",
    start: () => startOne({ program: "valkey-server" }, (url) => new Valkey(url)),
  },
  {
    name: "a cluster of redis-server with ioredis",
    driver: "ioredis",
    async start() {
      const { nodes, close } = await startRedisCluster();
      return { connect: () => new Cluster([...nodes]), close };
    },
  },
];

export const SETUPS: readonly Setup[] = [MAIN_SETUP, ...VARIANTS];
