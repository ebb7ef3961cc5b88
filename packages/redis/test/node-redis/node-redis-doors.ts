import type { StoreDoors } from "@tm/run-events-conformance";
import type { Redis } from "ioredis";
import { createClient } from "redis";
import { openRedisStore } from "../../src/index.ts";
import { fromNodeRedis, type NodeRedisClient } from "../../src/node-redis/index.ts";
import { countLeftovers } from "../beneath.ts";
import { runKeys } from "../opened.ts";

/** A client of node-redis that a test has opened. */
export type NodeRedis = ReturnType<typeof createClient>;

/** A connected client, whose errors only show in the commands that they fail. */
export async function connectNodeRedis(
  url: string,
  options: Parameters<typeof createClient>[0] = {},
): Promise<NodeRedis> {
  const client = createClient({ url, ...options }).on("error", () => {});
  await client.connect();
  return client as NodeRedis;
}

/** A prefix, and the clients of the store objects under it. */
export interface NodeRedisPlace {
  readonly prefix: string;
  readonly clients: NodeRedis[];
  sent: number;
}

/** The kit's access to stores on node-redis. A client of ioredis looks beneath them. */
export function nodeRedisDoors(url: () => string, eye: () => Redis): StoreDoors<NodeRedisPlace> {
  return {
    prepare: () => ({ prefix: crypto.randomUUID(), clients: [], sent: 0 }),
    async open(place) {
      const client = await connectNodeRedis(url());
      place.clients.push(client);
      return openRedisStore(fromNodeRedis(counted(client, place)), place);
    },
    destroy({ clients }) {
      for (const client of clients) client.destroy();
    },
    async leftovers({ prefix, clients }) {
      // Commands that the store sent without waiting come before this on its connection, but not on another.
      await Promise.all(clients.map((client) => client.ping()));
      return countLeftovers(eye(), prefix);
    },
    cost: ({ sent }) => ({ statements: sent }),
    async loseReceipts({ prefix }, runId) {
      const lost = await eye().del(runKeys(runId, prefix).receipts);
      if (lost !== 1) throw new TypeError("Expected a run with receipts.");
    },
  };
}

/** Counts the commands of a client in its place. */
function counted(client: NodeRedisClient, place: NodeRedisPlace): NodeRedisClient {
  return {
    get isOpen() {
      return client.isOpen;
    },
    options: client.options,
    sendCommand(...sent) {
      place.sent += 1;
      return client.sendCommand(...sent);
    },
    duplicate: (overrides) => client.duplicate(overrides),
  };
}
