// The kit's processes open this, each with its own client.
import type { RunEventStore } from "@tm/run-events-core/store";
import { Cluster, Redis } from "ioredis";
import { Redis as Valkey } from "iovalkey";
import { openRedisStore } from "../src/index.ts";
import { fromNodeRedis } from "../src/node-redis/index.ts";
import type { Client } from "./clients.ts";
import { connectNodeRedis } from "./node-redis/node-redis-doors.ts";

/** Which client connects to which servers. */
export type ServersPlace =
  | { readonly client: "ioredis" | "iovalkey" | "ioredis that sends once"; readonly url: string }
  | { readonly client: "node-redis"; readonly url: string }
  | { readonly client: "ioredis cluster"; readonly nodes: readonly ClusterNode[] };

interface ClusterNode {
  readonly host: string;
  readonly port: number;
}

type ProcessClient = Client & { on(event: "error", listener: () => void): unknown };

/** A prefix on servers. */
export type PrefixPlace = ServersPlace & { readonly prefix: string };

export async function open(place: PrefixPlace): Promise<RunEventStore> {
  if (place.client === "node-redis") {
    return openRedisStore(fromNodeRedis(await connectNodeRedis(place.url)), place);
  }
  const redis = connect(place);
  // The test crashes the server; the next command fails with this error.
  redis.on("error", () => {});
  return openRedisStore(redis, { prefix: place.prefix });
}

function connect(place: Exclude<ServersPlace, { readonly client: "node-redis" }>): ProcessClient {
  switch (place.client) {
    case "ioredis":
      return new Redis(place.url);
    case "ioredis that sends once":
      return new Redis(place.url, { maxRetriesPerRequest: 0 });
    case "iovalkey":
      return new Valkey(place.url);
    case "ioredis cluster":
      return new Cluster([...place.nodes]);
  }
}
